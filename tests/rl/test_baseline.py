"""Baselines are fitted to what was paid, and only to what is real."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs

KEY = jax.random.key(0)
BASELINES = {"linear": qs.LinearBaseline(), "network": qs.ValueNetwork()}


@pytest.fixture(scope="module")
def walk():
    """Positions, what they are worth, and which steps there are: the second half of one path is
    not."""
    o = jax.random.uniform(KEY, (8, 20, 2), minval=-1, maxval=1)
    targets = -50.0 - 10 * jnp.linalg.norm(o - 0.3, axis=-1)
    return o, targets, jnp.ones((8, 20), bool).at[0, 10:].set(False)


def unexplained(values, targets, real):
    """The share of the variance that is left."""
    return float(jnp.var((targets - values)[real]) / jnp.var(targets[real]))


def test_what_they_explain(walk):
    """The distance is no sum of o and o²: the network explains what the regression cannot."""
    left = {name: unexplained(jax.jit(b.values)(*walk), *walk[1:]) for name, b in BASELINES.items()}
    assert 0.02 < left["linear"] < 0.2
    assert left["network"] < left["linear"] / 1.5


@pytest.mark.parametrize("name", BASELINES)
def test_what_is_not_real_counts_for_nothing(name, walk):
    o, targets, real = walk
    values = jax.jit(BASELINES[name].values)
    other = values(jnp.where(real[..., None], o, 0.0), jnp.where(real, targets, 1e4), real)
    np.testing.assert_allclose(other[real], values(o, targets, real)[real], rtol=1e-4)


def test_no_step():
    with pytest.raises(qs.BadInput, match="steps is 0"):
        qs.ValueNetwork(steps=0)
