"""MAML++: what its outer optimiser moves, and how fast."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from quickstudy.nets.norm import running_statistics
from references.recipes import typed


def updated(recipe):
    """What one step of the outer optimiser makes of a gradient of ones."""
    theta = eqx.filter(recipe.learner(), eqx.is_inexact_array)
    ones, optimiser = jax.tree.map(jnp.ones_like, theta), recipe.method.optimiser(recipe.budget)
    return optimiser.update(ones, optimiser.init(theta), theta)[0]


def test_the_multi_step_share_is_a_setting():
    assert typed("maml++-sinusoid", "--multi-step 0.5").learner().multi_step == 0.5
    assert typed("maml++-sinusoid").learner().multi_step == 0.1


def test_inner_rates_are_learned_slowly_on_sinusoids():
    """Adam's first step is β for every number, and 1e-5 for the inner rates."""
    updates = updated(typed("maml++-sinusoid"))
    assert all(jnp.allclose(u, -1e-5, rtol=1e-3) for u in jax.tree.leaves(updates.rates))
    assert all(jnp.allclose(u, -1e-3, rtol=1e-3) for u in jax.tree.leaves(updates.model))


def test_averages_move_by_plain_descent():
    recipe = typed("maml++-glyphs", "--norm running --averaging 0.25 --filters 2 --clip 1000")
    updates = updated(recipe)
    averages = running_statistics(updates.norms)
    assert averages
    for found in averages:
        np.testing.assert_allclose(found, -0.25, rtol=1e-6)
    rates = ravel_pytree(updates.rates)[0]
    np.testing.assert_allclose(rates, -recipe.budget.learning_rate, rtol=1e-3)
