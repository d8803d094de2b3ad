"""Similarities by hand."""

import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs

X = jnp.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])


def test_cosine_by_hand():
    found = qs.cosine(jnp.array([[3.0, 4.0]]), X)
    np.testing.assert_allclose(found, [[0.6, 0.8, 1.0]], rtol=1e-6)
    slope = jax.grad(lambda x: jnp.sum(qs.cosine(x, X)))(jnp.zeros((1, 2)))
    assert np.isfinite(slope).all(), "a vector of zeros has no direction, and must not harm"
