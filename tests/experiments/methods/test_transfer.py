"""Transfer as settings: it trains on batches of all classes."""

from dataclasses import replace

import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.experiments.methods import transfer as module
from quickstudy.experiments.problem import Source
from quickstudy.learners.transfer import (
    BaselinePlusPlus,
    FineTuneAll,
    FineTuneHead,
    NearestCentroid,
)
from quickstudy.tasks.all_classes import AllClasses
from references.recipes import ALL, tasks
from references.small_problems import POINTS, built


@pytest.mark.parametrize("name", ["transfer-glyphs", "transfer-omniglot"])
def test_transfer_knows_how_many_classes_there_are(name, request):
    if "omniglot" in name:
        request.getfixturevalue("omniglot_data")
    recipe = ALL[name]
    train = tasks(recipe)
    assert isinstance(train, AllClasses)
    assert train.classes == recipe.problem.classes(Source())
    assert isinstance(tasks(recipe, "test"), qs.Episodes)


class Classes(type(POINTS)):
    """Nine classes to train on."""

    def classes(self, source):
        return 9


NINE = Classes()
HEADS = {
    "centroid": NearestCentroid,
    "head": FineTuneHead,
    "cosine": BaselinePlusPlus,
    "all": FineTuneAll,
}


@pytest.mark.parametrize("name", HEADS)
def test_a_classifier_of_all_classes_and_what_is_made_of_it_for_a_task(name):
    kind = module.TaskHeadConfig.choices()[name]
    tuned = {} if name == "centroid" else {"fine_tuning_steps": 3}
    learner = built(module.TransferConfig, NINE, method=kind(**tuned))
    assert type(learner) is HEADS[name]
    assert learner.classifier(jnp.ones((2, 3))).shape == (2, 9)
    assert not tuned or learner.steps == 3


def test_what_training_tasks_were():
    assert module.TransferConfig().trained_on(NINE) == "all 9 classes"


def test_batches_have_no_ways():
    with pytest.raises(qs.BadInput, match="transfer tells classes apart, and sinusoid"):
        module.TransferConfig().check(qs.find_problem("sinusoid"))
    glyphs = replace(qs.find_problem("glyphs"), fewest_ways=3)
    with pytest.raises(qs.BadInput, match="batches of all classes, not on tasks; leave --fewest-w"):
        module.TransferConfig().check(glyphs)
