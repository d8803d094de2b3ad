"""Transfer as settings: it trains on batches of all classes."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
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
from references.recipes import ALL, tasks, typed
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


KEY = jax.random.key(0)


def test_the_centre_is_a_moving_average_of_features():
    """By hand, for two steps: a tenth of the way to each batch's mean. All else is Adam's."""
    recipe = typed("transfer-glyphs", "--filters 4 --batch 8 --meta-batch 1 --steps 50")
    learner, tasks = recipe.learner(), recipe.method.training_tasks(recipe.problem, Source())
    own, plain = recipe.method.optimiser(recipe.budget), recipe.budget.adam()
    parameters = eqx.filter(learner, eqx.is_inexact_array)
    state, wanted = own.init(parameters), np.zeros(learner.centre.shape)
    for number in range(2):
        task = tasks.sample(jax.random.fold_in(KEY, number))
        now = eqx.combine(parameters, learner)
        wanted = 0.9 * wanted + 0.1 * np.mean(now.body(task.query.x), 0)
        slope = eqx.filter(now.meta_gradient(task)[0], eqx.is_inexact_array)
        if number == 0:
            bare = eqx.tree_at(lambda m: m.centre, slope, jnp.zeros_like(learner.centre))
            expected, _ = plain.update(bare, plain.init(parameters), parameters)
        updates, state = own.update(slope, state, parameters)
        if number == 0:
            np.testing.assert_allclose(updates.classifier.weight, expected.classifier.weight)
        parameters = optax.apply_updates(parameters, updates)
    np.testing.assert_allclose(parameters.centre, wanted, rtol=1e-5, atol=1e-7)
    assert np.abs(wanted).max() > 0.01


@pytest.mark.parametrize("centring", ["base", "none"])
def test_centring_is_a_choice(centring):
    learner = typed("transfer-glyphs", f"--filters 4 --centring {centring}").learner()
    assert (learner.centre is None) == (centring == "none")
    with pytest.raises(qs.BadInput, match=r"centring .* belongs to --method centroid"):
        typed("transfer-glyphs", f"--method head --centring {centring}")
