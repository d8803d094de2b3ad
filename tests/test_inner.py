"""Rules of the inner loop: by hand, and against MAML."""

import jax
import jax.numpy as jnp
import optax
import pytest

import quickstudy as qs
from references.one_wave import MAML, MODEL, RATE, SETTINGS, STEPS, TASK, close, flat


def test_more_steps_than_rates():
    learner = qs.InnerLoop(MODEL, qs.RatePerStep.like(MODEL, RATE, STEPS), steps=STEPS, **SETTINGS)
    path = learner.adapt_by_steps(TASK.support, STEPS + 2)
    wanted = MAML.adapt_by_steps(TASK.support, STEPS + 2)
    close(flat(path), flat(wanted))


def test_momentum_needs_a_state():
    """Three steps of momentum on a constant gradient: 1, 1.5, 1.75 times the rate."""
    rule = qs.Optimiser(optax.sgd(0.1, momentum=0.5))
    theta, state = jnp.array(0.0), rule.start(jnp.array(0.0))
    for step in range(3):
        theta, state = rule.move(theta, jnp.array(1.0), state, step)
    assert float(theta) == pytest.approx(-0.1 * (1 + 1.5 + 1.75))


def test_an_offset_is_added_once_and_where_it_is():
    """In the first step alone, to the part that has one; the other rule moves the rest as ever, and
    the slope by the offset is 1."""
    theta = {"mean": jnp.array([1.0, 2.0]), "spread": jnp.array([0.5])}
    gradient = jax.tree.map(lambda x: 2 * x, theta)

    def path(spread, steps):
        rule = qs.Offset(qs.Rates((0.5, 0.25)), {"mean": None, "spread": spread})
        there, state = rule.begin(theta), rule.start(theta)
        for step in range(steps):
            there, state = rule.move(there, gradient, state, step)
        return there

    first, third = path(jnp.array([-2.0]), 1), path(jnp.array([-2.0]), 3)
    assert first["mean"].tolist() == [0.0, 0.0]
    assert first["spread"].tolist() == [-2.0]
    assert third["mean"].tolist() == [-1.0, -2.0]
    assert third["spread"].tolist() == [-2.5]
    assert jax.grad(lambda b: path(b, 3)["spread"][0])(jnp.zeros(1)).tolist() == [1.0]
