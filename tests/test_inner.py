"""Rules of the inner loop: by hand, against MAML, and where a slope is infinite."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.inner import InnerRule
from references.one_wave import MAML, MODEL, RATE, SETTINGS, STEPS, TASK, close, flat, gradient


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


class Halved(InnerRule):
    """Another rule, on half the gradient: a user's wrapper."""

    rule: InnerRule

    def start(self, theta):
        return self.rule.start(theta)

    def move(self, theta, gradient, state, step):
        return self.rule.move(theta, jax.tree.map(lambda g: g / 2, gradient), state, step)


def test_adam_needs_a_root_that_is_safe():
    def learner(optimiser, wrap=lambda rule: rule):
        return qs.InnerLoop(MODEL, wrap(qs.Optimiser(optimiser)), **SETTINGS)

    for wrap in (lambda rule: rule, Halved):
        with pytest.raises(qs.BadInput, match=r"no finite slope.*eps_root"):
            learner(optax.adam(1e-3), wrap).check(TASK)
    for safe in (
        learner(optax.adam(1e-3, eps_root=1e-8)),
        learner(optax.adam(1e-3, eps_root=1e-8), Halved),
        learner(optax.adam(1e-3), qs.FirstOrder),
        learner(optax.adam(1e-3), lambda rule: Halved(qs.FirstOrder(rule))),
    ):
        safe.check(TASK)
        assert np.isfinite(flat(gradient(safe))).all()
