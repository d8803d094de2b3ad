"""Relation networks as settings."""

from quickstudy.experiments.methods.relation import RelationConfig
from quickstudy.learners.relation import Relation
from references.small_problems import POINTS, built


def test_the_relation_reads_two_feature_vectors():
    learner = built(RelationConfig, POINTS, hidden=7)
    assert type(learner) is Relation
    shapes = [layer.weight.shape for layer in learner.relation.layers]
    assert shapes == [(2 * 3, 7), (7, 1)]
