"""Surrogates of actions that were taken, against numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.mesh import dealt, on_shares, total
from quickstudy.rl.distributions import Categorical
from quickstudy.rl.surrogate import Taken, clipped

# Of four actions the last does not count: nonsense stands there.
OLD, NOW = jnp.array([0.5, 0.4, 0.8, 0.0]), jnp.array([0.75, 0.2, 0.8, 0.5])
ADVANTAGE, REAL = jnp.array([2.0, -1.0, 3.0, jnp.nan]), jnp.array([True, True, True, False])


def found(f):
    """f of this device's share, over all."""

    def share(_, rows, real):
        old, now, advantage, counts = rows
        actions = [Categorical(jnp.log(jnp.stack([1 - p, p], -1))) for p in (old, now)]
        action = jnp.ones(old.shape, int)
        taken = Taken(action, jnp.log(old), advantage, counts & real)
        return total(f(taken, *actions))

    return float(jax.jit(lambda: on_shares(share, None, dealt((OLD, NOW, ADVANTAGE, REAL))))())


@pytest.mark.parametrize(
    ("gain", "wanted"),
    [(jnp.multiply, 1.5 * 2 - 0.5 + 3), (clipped(0.2), 1.2 * 2 - 0.8 + 3)],
)
def test_the_mean_is_over_what_counts(gain, wanted):
    value = found(lambda taken, _, now: taken.surrogate(now, gain))
    np.testing.assert_allclose(value, wanted / 3, rtol=1e-6)


def test_divergence():
    kl = lambda p, q: p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))  # noqa: E731
    value = found(lambda taken, old, now: taken.divergence(old, now))
    np.testing.assert_allclose(value, (kl(0.5, 0.75) + kl(0.4, 0.2)) / 3, rtol=1e-5)
