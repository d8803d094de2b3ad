"""Distributions over actions, against their definitions by summation and by sampling."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.envs.environment import Continuous, Discrete, MultiDiscrete
from quickstudy.rl.distributions import Categorical, Categoricals, Gaussian, over_actions

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


def test_several_choices_are_a_product():
    """Of choices of unequal sizes, by summation over all of their 12 outcomes."""
    choices, keys = (3, 2, 2), jax.random.split(KEY, 3)
    p, q = (Categoricals(jax.random.normal(k, (7,)), choices) for k in keys[:2])
    outcomes = jnp.array(list(itertools.product(*map(range, choices))))
    logs, others = (jax.vmap(one.log_prob)(outcomes) for one in (p, q))
    np.testing.assert_allclose(jnp.exp(logs).sum(), 1.0, rtol=1e-5)
    parts = [Categorical(p.logits[at]) for at in (slice(3), slice(3, 5), slice(5, 7))]
    np.testing.assert_allclose(
        p.log_prob(jnp.array([2, 0, 1])),
        sum(part.log_prob(jnp.array(a)) for part, a in zip(parts, (2, 0, 1), strict=True)),
        rtol=1e-5,
    )
    np.testing.assert_allclose(p.entropy(), -jnp.sum(jnp.exp(logs) * logs), rtol=1e-5)
    np.testing.assert_allclose(p.divergence(q), jnp.sum(jnp.exp(logs) * (logs - others)), rtol=1e-4)
    assert p.mode().tolist() == outcomes[jnp.argmax(logs)].tolist()
    drawn = jax.vmap(p.sample)(jax.random.split(keys[2], 20_000))
    number = drawn @ jnp.array([4, 2, 1])
    found = np.bincount(number, minlength=12) / 20_000
    np.testing.assert_allclose(found, jnp.exp(logs), atol=4 * 0.5 / np.sqrt(20_000))
    slopes = jax.grad(lambda x: Categoricals(x, choices).entropy() + p.divergence(q))(p.logits)
    assert jnp.isfinite(slopes).all()


def test_a_batch_of_several_choices():
    p = Categoricals(jnp.arange(10.0).reshape(2, 5), (2, 3))
    assert p.log_prob(jnp.zeros((2, 2), int)).shape == p.entropy().shape == (2,)
    one = jax.tree.map(lambda x: x[1], p)
    np.testing.assert_allclose(p.entropy()[1], one.entropy(), rtol=1e-6)


def test_outputs_are_read_by_the_kind_of_actions():
    assert isinstance(over_actions(Discrete(3), jnp.zeros(3), None), Categorical)
    assert over_actions(MultiDiscrete((2, 3)), jnp.zeros(5), None).choices == (2, 3)
    assert isinstance(over_actions(Continuous(3), jnp.zeros(3), jnp.zeros(3)), Gaussian)
