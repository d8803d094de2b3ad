"""Distributions over actions, against their definitions by summation and by sampling."""

import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.rl.distributions import Categorical, Gaussian

KEY = jax.random.key(0)
P = np.array([0.1, 0.2, 0.7])
Q = np.array([0.3, 0.3, 0.4])


def test_categorical():
    p, q = Categorical(jnp.log(P) + 5.0), Categorical(jnp.log(Q))
    logs = [float(p.log_prob(jnp.array(a))) for a in range(3)]
    np.testing.assert_allclose(logs, np.log(P), rtol=1e-5)
    np.testing.assert_allclose(p.entropy(), -(P * np.log(P)).sum(), rtol=1e-5)
    np.testing.assert_allclose(p.divergence(q), (P * np.log(P / Q)).sum(), rtol=1e-5)
    assert int(p.mode()) == 2
    drawn = jax.vmap(p.sample)(jax.random.split(KEY, 20_000))
    np.testing.assert_allclose(np.bincount(drawn) / 20_000, P, atol=4 * 0.5 / np.sqrt(20_000))


def test_what_cannot_happen_is_not_drawn():
    drawn = jax.vmap(Categorical(jnp.array([0.0, -jnp.inf, 0.0])).sample)(
        jax.random.split(KEY, 999)
    )
    assert set(np.unique(drawn)) == {0, 2}


def test_gaussian():
    """A multi-dimensional action's log-probability is the sum over its coordinates."""
    p = Gaussian(jnp.array([1.0, -1.0]), jnp.log(jnp.array([0.5, 2.0])))
    q = Gaussian(jnp.array([0.0, 0.0]), jnp.log(jnp.array([1.0, 1.0])))
    x = jnp.array([2.0, 0.0])
    each = [
        -0.5 * (1 / 0.5) ** 2 - np.log(0.5) - 0.5 * np.log(2 * np.pi),
        -0.5 * (1 / 2.0) ** 2 - np.log(2.0) - 0.5 * np.log(2 * np.pi),
    ]
    np.testing.assert_allclose(p.log_prob(x), sum(each), rtol=1e-5)
    drawn = jax.vmap(p.sample)(jax.random.split(KEY, 40_000))
    logs = jax.vmap(p.log_prob)(drawn)
    np.testing.assert_allclose(p.entropy(), -np.mean(logs), atol=0.03)
    gap = np.mean(logs - jax.vmap(q.log_prob)(drawn))
    np.testing.assert_allclose(p.divergence(q), gap, rtol=0.03)
    np.testing.assert_allclose(p.divergence(p), 0.0, atol=1e-6)
