"""Losses by hand."""

import jax.numpy as jnp
import numpy as np

import quickstudy as qs


def test_losses_by_hand():
    outputs, y = jnp.log(jnp.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])), jnp.array([0, 1])
    np.testing.assert_allclose(qs.cross_entropy(outputs, y), -np.log([0.5, 0.2]).mean(), rtol=1e-6)
    assert float(qs.accuracy(outputs, y)) == 0.5
    targets = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    assert float(qs.squared_error(targets, jnp.array([[1.0, 0.0], [0.0, 4.0]]))) == 13 / 4
