"""Metric learners as settings: more ways in training, and classes to compare with."""

import pytest

import quickstudy as qs
from quickstudy.experiments.methods.prototypical import (
    PrototypicalConfig,
    demand_classification,
    similarity_named,
)
from quickstudy.experiments.problem import Source
from quickstudy.learners.similarity import cosine, dot_product, negative_squared_distance
from references.recipes import ALL, tasks
from references.small_problems import POINTS, built


def test_more_ways_in_training_than_at_test():
    recipe = ALL["prototypical-glyphs"]
    assert tasks(recipe).ways == 20
    assert tasks(recipe, "test").ways == 5
    changed = recipe.problem.changed({"ways": 7, "shots": 3})
    assert changed.tasks("test", Source()).ways == 7


def test_training_ways_are_many_or_all_that_there_are():
    method = PrototypicalConfig()
    assert method.training_ways == 20
    assert method.prepared(qs.find_problem("glyphs")).train_ways == 20
    assert method.prepared(Few()).train_ways == 7
    assert PrototypicalConfig(train_ways=3).prepared(Few()).train_ways == 3
    assert method.prepared(POINTS).train_ways == 0, "how many there are is not known yet"


class Few(type(POINTS)):
    """Seven classes to train on."""

    training_classes = 7


def test_similarities_by_name():
    names = {"euclidean": negative_squared_distance, "dot": dot_product, "cosine": cosine}
    for name, function in names.items():
        assert similarity_named(name) is function
        assert built(PrototypicalConfig, POINTS, similarity=name).similarity is function


def test_regression_has_no_classes():
    with pytest.raises(qs.BadInput, match=r"prototypical tells classes apart.* maml, ridge or"):
        demand_classification(PrototypicalConfig(), qs.find_problem("sinusoid"))
    demand_classification(PrototypicalConfig(), POINTS)
