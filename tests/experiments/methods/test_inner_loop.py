"""MAML with any optimiser as settings: each moves as it is named."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from quickstudy.experiments.methods.inner_loop import (
    InnerAdamConfig,
    InnerLoopConfig,
    InnerRMSPropConfig,
    MomentumConfig,
)
from quickstudy.inner import FirstOrder, Optimiser
from references.small_problems import built


def moved(config, gradients, rate=0.5):
    """The updates for those gradients, one after the other."""
    optimiser = config.build(rate)
    state, found = optimiser.init(jnp.zeros(())), []
    for gradient in gradients:
        update, state = optimiser.update(jnp.asarray(gradient), state)
        found.append(float(update))
    return found


def test_momentum_keeps_a_share_of_the_last_update():
    assert moved(MomentumConfig(momentum=0.5), [1.0, 0.0, 0.0]) == [-0.5, -0.25, -0.125]


@pytest.mark.parametrize(
    ("config", "first"),
    # Adam's first step is the rate; RMSProp divides by √0.1 |g|, of what its mean holds by then.
    [(InnerAdamConfig(), -0.5), (InnerRMSPropConfig(), -0.5 / np.sqrt(0.1))],
)
def test_what_divides_by_a_root(config, first):
    for gradient in (1.0, 3.0):
        np.testing.assert_allclose(moved(config, [gradient]), [first], rtol=1e-3)


def test_the_order_is_exact_unless_asked_otherwise():
    exact = built(InnerLoopConfig, inner_steps=3, inner_optimiser=MomentumConfig())
    assert isinstance(exact.rule, Optimiser)
    assert isinstance(exact.rule.optimiser, optax.GradientTransformation)
    assert exact.steps == 3
    first = built(InnerLoopConfig, order="first")
    assert isinstance(first.rule, FirstOrder)
    assert isinstance(first.rule.rule, Optimiser)
