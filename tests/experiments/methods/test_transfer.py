"""Transfer as recipes: the mean that SimpleShot subtracts."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.experiments.problem import Source
from references.recipes import typed

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
