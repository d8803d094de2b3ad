"""Problems of images: tasks of one size in tests, and of several in training."""

import equinox as eqx
import jax
import pytest

import quickstudy as qs
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.glyphs import GlyphImages
from quickstudy.experiments.recipe import from_json
from references.recipes import tasks, typed

KEY = jax.random.key(0)


def test_training_tasks_of_different_sizes():
    """Validation and test tasks stay as they are."""
    recipe = typed("prototypical-glyphs", "--fewest-ways 3 --fewest-shots 2 --shots 4")
    train = tasks(recipe)
    assert isinstance(train, qs.Varying)
    assert (train.ways, train.episodes.ways, train.shots, train.episodes.shots) == (3, 20, 2, 4)
    assert all(isinstance(tasks(recipe, s), qs.Episodes) for s in ("validation", "test"))
    validation = recipe.problem.training_tasks("validation", Source())
    assert (validation.ways, validation.shots) == (5, 4)
    recipe.learner().check(eqx.filter_eval_shape(train.sample, KEY))
    assert from_json(recipe.to_json()) == recipe
    only_shots = tasks(typed("prototypical-glyphs", "--fewest-shots 2 --shots 4"))
    assert (only_shots.ways, only_shots.shots) == (20, 2)


def test_sizes_that_cannot_be():
    with pytest.raises(qs.BadInput, match=r"fewest ways are 30; give a number from 2 to 20"):
        tasks(typed("prototypical-glyphs", "--fewest-ways 30"))


@pytest.mark.parametrize(
    ("settings", "ways", "said"),
    [
        ({}, None, ""),
        ({}, 20, "20-way, validation 5-way"),
        ({"fewest_ways": 3}, None, "3- to 5-way, validation 5-way"),
        ({"fewest_ways": 3}, 20, "3- to 20-way, validation 5-way"),
        ({"fewest_shots": 2, "shots": 4}, None, "5-way 2- to 4-shot, validation 5-way 4-shot"),
    ],
)
def test_training_tasks_in_words(settings, ways, said):
    assert GlyphImages(**settings).trained_shape(ways) == said


def test_ways_and_shots_are_the_shape_of_a_test():
    problem = GlyphImages(ways=7, shots=3)
    assert problem.outputs == 7
    assert problem.classification
    assert problem.data() == "glyphs, 7-way 3-shot"
    other = GlyphImages(ways=2, queries=9).tested_as(problem)
    assert (other.ways, other.shots, other.queries) == (7, 3, problem.queries)
