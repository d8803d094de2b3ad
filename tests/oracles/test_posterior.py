"""Draws against NumPy's, by their distribution functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.oracles.posterior import beta, dirichlet, gamma

DRAWN = 20_000
# Two samples of one distribution differ by more once in a million times (Kolmogorov, Smirnov).
FAR = 2.7 * (2 / DRAWN) ** 0.5


def distance(a, b):
    """The largest difference of two empirical distribution functions."""
    at = np.sort(np.concatenate([a, b]))
    ranks = [np.searchsorted(np.sort(x), at, side="right") / len(x) for x in (a, b)]
    return np.abs(ranks[0] - ranks[1]).max()


@pytest.mark.parametrize("shape", [1.0, 2.0, 51.0])
def test_gamma(shape):
    reference = np.random.default_rng(0)
    drawn = np.asarray(gamma(jax.random.key(0), jnp.full(DRAWN, shape)))
    assert distance(drawn, reference.gamma(shape, size=DRAWN)) < FAR
    assert distance(drawn, reference.gamma(1.1 * shape, size=DRAWN)) > FAR


def test_beta():
    """Shapes differ within the array: each element has its own."""
    a, b = jnp.tile(jnp.array([1.0, 8.0]), DRAWN), jnp.tile(jnp.array([1.0, 3.0]), DRAWN)
    drawn = np.asarray(beta(jax.random.key(0), a, b))
    reference = np.random.default_rng(0)
    assert distance(drawn[::2], reference.uniform(size=DRAWN)) < FAR
    assert distance(drawn[1::2], reference.beta(8, 3, size=DRAWN)) < FAR
    assert distance(drawn[1::2], reference.beta(8, 4, size=DRAWN)) > FAR


def test_dirichlet():
    """Mean α/α₀, variance α (α₀ − α) / α₀² (α₀ + 1), and sum 1."""
    alpha = jnp.array([1.0, 2.0, 5.0])
    drawn = np.asarray(dirichlet(jax.random.key(0), jnp.tile(alpha, (DRAWN, 1))))
    np.testing.assert_allclose(drawn.sum(-1), 1, atol=1e-6)
    np.testing.assert_allclose(drawn.mean(0), np.array([1, 2, 5]) / 8, atol=0.006)
    np.testing.assert_allclose(drawn.var(0), np.array([7, 12, 15]) / 576, rtol=0.06)
