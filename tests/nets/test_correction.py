"""The trained layer on frozen features starts from them, and learns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.errors import BadInput
from quickstudy.nets.correction import Correction

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (5, 8))


def cosines(x):
    unit = x / jnp.linalg.norm(x, axis=1, keepdims=True)
    return unit @ unit.T


def test_it_starts_from_the_frozen_features_with_one_length():
    found = Correction(8, 6, scale=3.0, key=KEY)(X)
    np.testing.assert_allclose(jnp.linalg.norm(found, axis=1), 3.0, rtol=1e-5)
    np.testing.assert_allclose(cosines(found), cosines(X), atol=1e-5)


def test_the_features_length_does_not_matter():
    layer = Correction(8, 6, scale=3.0, key=KEY)
    np.testing.assert_allclose(layer(X), layer(7 * X), rtol=1e-4)


def test_what_starts_at_zero_is_learned():
    layer = Correction(8, 6, scale=3.0, key=KEY)
    slope = jax.grad(lambda one: one(X)[:, 0].sum())(layer)
    assert float(jnp.abs(slope.back.weight).max()) > 0
    assert float(jnp.abs(slope.log_scale)) > 0


def test_blank_features_have_a_gradient():
    layer = Correction(4, 3, scale=2.0, key=KEY)
    slope = jax.grad(lambda x: layer(x).sum())(jnp.zeros((1, 4)))
    assert bool(jnp.isfinite(slope).all())


def test_further_inputs_reach_the_hidden_units_only():
    layer = Correction(8, 6, scale=3.0, extra=2, key=KEY)
    assert layer.hidden.weight.shape == (10, 6)
    zeros, ones = (jnp.full((5, 2), level) for level in (0.0, 1.0))
    first, second = (layer(jnp.concatenate([X, extra], 1)) for extra in (zeros, ones))
    np.testing.assert_array_equal(first, second)  # W₂ is still zero
    moved = jax.tree.map(lambda leaf: leaf + 0.1, layer)
    first, second = (moved(jnp.concatenate([X, extra], 1)) for extra in (zeros, ones))
    assert float(jnp.abs(first - second).max()) > 1e-3


@pytest.mark.parametrize("how", [{"width": -1}, {"width": 3, "scale": 0}, {"width": 0, "extra": 1}])
def test_impossible_settings(how):
    with pytest.raises(BadInput, match="hidden units"):
        Correction(8, **{"scale": 1.0, **how}, key=KEY)


@pytest.mark.parametrize("shape", [(4, 28, 28, 1), (4, 7), (8,)])
def test_what_are_no_features_is_refused(shape):
    """Images, above all: a run on features is often tried on these."""
    layer = Correction(8, 6, scale=3.0, key=KEY)
    with pytest.raises(BadInput, match=r"reads \[n, 8\] features .*from_run"):
        layer(jnp.zeros(shape))
