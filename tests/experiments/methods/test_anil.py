"""ANIL and BOIL as settings."""

import numpy as np

from quickstudy.experiments.methods.anil import ANILConfig, BOILConfig
from quickstudy.learners.anil import ANIL, BOIL
from references.small_problems import POINTS, built


def test_settings_reach_the_learners():
    for config, kind in ((ANILConfig, ANIL), (BOILConfig, BOIL)):
        learner = built(config, inner_lr=0.3, inner_steps=4)
        assert type(learner) is kind
        assert (learner.inner_lr, learner.steps) == (0.3, 4)


def test_a_head_that_only_passes_gradients_on_is_drawn():
    """ANIL's may start at zero, where all classes are equally likely; BOIL's may not."""
    assert not np.any(built(ANILConfig, POINTS).model.head.weight)
    assert np.all(built(BOILConfig, POINTS).model.head.weight)
