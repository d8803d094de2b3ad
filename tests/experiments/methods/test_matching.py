"""Matching networks as settings."""

import pytest

import quickstudy as qs
from quickstudy.experiments.methods.matching import FullContextConfig, MatchingConfig
from quickstudy.learners.matching import FullContext, NoContext
from quickstudy.learners.similarity import cosine, dot_product
from references.small_problems import POINTS, built


def test_settings_reach_the_learner():
    usual = built(MatchingConfig, POINTS)
    assert isinstance(usual.context, NoContext)
    assert (usual.similarity, usual.sharpness, usual.f) == (cosine, 10.0, None)
    other = built(MatchingConfig, POINTS, similarity="dot", sharpness=2.0)
    assert (other.similarity, other.sharpness) == (dot_product, 2.0)


def test_a_full_context_is_of_the_embedding_s_size():
    learner = built(MatchingConfig, POINTS, context=FullContextConfig(reads=2))
    assert isinstance(learner.context, FullContext)
    assert learner.context.reads == 2
    assert learner.context.forward.features == 3
    with pytest.raises(qs.BadInput, match="reads is 0"):
        built(MatchingConfig, POINTS, context=FullContextConfig(reads=0))


def test_regression_has_no_labels_to_share_out():
    with pytest.raises(qs.BadInput, match="matching tells classes apart, and sinusoid is regress"):
        MatchingConfig().check(qs.find_problem("sinusoid"))
