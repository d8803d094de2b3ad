"""Where the slope of an inner rule is infinite."""

import jax
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.inner import InnerRule
from references.one_wave import MODEL, SETTINGS, TASK, flat, gradient


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
