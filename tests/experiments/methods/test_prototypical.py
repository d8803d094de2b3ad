"""Metric learners as settings: more ways in training, and classes to compare with."""

from quickstudy.experiments.problem import Source
from references.recipes import ALL, tasks


def test_more_ways_in_training_than_at_test():
    recipe = ALL["prototypical-glyphs"]
    assert tasks(recipe).ways == 20
    assert tasks(recipe, "test").ways == 5
    changed = recipe.problem.changed({"ways": 7, "shots": 3})
    assert changed.tasks("test", Source()).ways == 7
