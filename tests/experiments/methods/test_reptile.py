"""Reptile as settings: its outer step is ε, and falls to zero on a line."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.reptile import ReptileConfig
from quickstudy.learners.kept_adam import KeptAdam
from quickstudy.learners.reptile import Reptile
from references.small_problems import CURVES, NETWORK, built


def test_settings_reach_the_learner():
    learner = built(ReptileConfig, inner_steps=3, test_inner_steps=7, inner_batch=4)
    assert type(learner) is Reptile
    assert (learner.steps, learner.test_steps, learner.batch) == (3, 7, 4)
    for moments, kept in (("kept", True), ("anew", False)):
        rule = built(ReptileConfig, moments=moments, inner_lr=0.25).rule
        assert isinstance(rule, KeptAdam) == kept
        theta = eqx.filter(learner.model, eqx.is_inexact_array)
        fives = jax.tree.map(lambda x: jnp.full_like(x, 5.0), theta)
        moved, _ = rule.move(theta, fives, rule.start(theta), 0)
        # Adam's first step is its rate.
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b - 0.25, atol=1e-4), moved, theta)


def test_the_step_falls_to_zero_on_a_line():
    """Of plain descent: θ − ε (θ − φ), with ε of 1, ¾, ½, ¼ in four steps."""
    outer = ReptileConfig().optimiser(Budget(steps=4, learning_rate=1.0))
    state, found = outer.init(jnp.array(0.0)), []
    for _ in range(5):
        update, state = outer.update(jnp.array(8.0), state)
        found.append(float(update))
    assert found == [-8, -6, -4, -2, 0]


def test_a_budget_of_its_own():
    method = ReptileConfig(network=NETWORK)
    assert method.budget(CURVES).learning_rate == 1.0
    assert method.budget(CURVES).steps == CURVES.usual["steps"]
    assert method.unread() == {"clip", "warm_up", "weight_decay"}
