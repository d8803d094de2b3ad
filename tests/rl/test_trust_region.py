"""Trust-region steps that are none: the parameters are kept to the bit, and that is said."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.mesh import dealt, on_shares, total
from quickstudy.rl.trust_region import RegionProblem, TrustRegion, trust_region_step

KEY = jax.random.key(0)
THETA = {"a": jnp.array([0.3, -0.7]), "b": jnp.array(1.1)}
GRADIENT = jnp.array([2.0, 1.0, 0.5])
DELTA = 0.01


def flat(theta):
    return jnp.append(theta["a"], theta["b"])


def step(rise, apart, region):
    """From θ, where the surrogate is rise(θ' − θ), and the divergence apart(θ' − θ)."""

    def share(theta, keys, real):
        devices = total(jnp.ones(()))
        problem = RegionProblem(
            outputs=flat,
            surrogate=lambda now: rise(now - flat(THETA)) / devices,
            divergence=lambda old, now: apart(now - old) / devices,
        )
        return trust_region_step(theta, problem, region)

    return jax.jit(lambda: on_shares(share, THETA, dealt(jnp.zeros(2))))()


def near(v):
    return jnp.sum(v**2) / 2


def test_the_step_is_the_natural_gradient_s():
    """√(2δ) along the gradient, where the divergence is half the squared distance."""
    region = TrustRegion(DELTA, damping=0.0)
    theta, metrics = step(lambda v: GRADIENT @ v, near, replace(region, radius=1.01 * DELTA))
    moved = flat(theta) - flat(THETA)
    wanted = (2.02 * DELTA) ** 0.5 * GRADIENT / jnp.linalg.norm(GRADIENT)
    shortened = moved / wanted
    np.testing.assert_allclose(shortened, jnp.full(3, shortened[0]), rtol=1e-4)
    assert float(metrics["accepted"]) == 1.0
    assert 0.79 < float(shortened[0]) <= 1.001


BENT = jnp.diag(jnp.array([1.0, -2.0, 1.0]))
FAILURES = {
    "it falls at every length": (lambda v: GRADIENT @ v - 1e6 * v @ v, near),
    "it is not a number": (lambda v: GRADIENT @ v + jnp.where(v @ v > 0, jnp.nan, 0.0), near),
    "every length is too far": (lambda v: GRADIENT @ v, lambda v: near(v) + 1e6 * (v @ v) ** 2),
    "the curvature is negative": (lambda v: GRADIENT @ v, lambda v: -(v @ v)),
    "there is no curvature": (lambda v: GRADIENT @ v, lambda v: 0.0 * (v @ v)),
}


@pytest.mark.parametrize("why", FAILURES)
def test_what_cannot_be_improved_stays(why):
    theta, metrics = step(*FAILURES[why], TrustRegion(DELTA, damping=0.0))
    for kept, was in zip(*map(jax.tree.leaves, (theta, THETA)), strict=True):
        np.testing.assert_array_equal(kept, was)
    assert float(metrics["accepted"]) == 0.0
    assert float(metrics["kl"]) == 0.0
    assert float(metrics["gradient_norm"]) == pytest.approx(float(jnp.linalg.norm(GRADIENT)))


def test_directions_found_before_the_curvature_turns_still_serve():
    """diag(1, −2, 1): along the gradient (2, 1, ½) it is 2¼, along the next direction negative;
    the step is the first direction's."""
    theta, metrics = step(
        lambda v: GRADIENT @ v, lambda v: v @ BENT @ v / 2, TrustRegion(DELTA, 0.0)
    )
    moved = flat(theta) - flat(THETA)
    length = (2 * DELTA / (GRADIENT @ BENT @ GRADIENT)) ** 0.5
    assert float(metrics["accepted"]) == 1.0
    shortened = moved / (length * GRADIENT)
    np.testing.assert_allclose(shortened, jnp.full(3, shortened[0]), rtol=1e-4)
    assert 0.79 < float(shortened[0]) <= 1.001
