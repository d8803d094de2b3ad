"""The transformer: its heads and its positions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets.transformer import rotate

KEY = jax.random.key(0)


def test_heads_must_share_the_width():
    with pytest.raises(qs.BadInput, match=r"width of 10 .*4 heads.*multiple of 8"):
        qs.Transformer.create(3, 10, heads=4, key=KEY)


def test_positions_by_hand():
    """The first pair of four coordinates turns by the age, the second by a hundredth of it."""
    ages = jnp.array([0, 3])
    found = rotate(jnp.broadcast_to(jnp.array([1.0, 1.0, 0.0, 0.0]), (2, 1, 4)), ages)[:, 0]
    wanted = [[1, 1, 0, 0], [np.cos(3), np.cos(0.03), np.sin(3), np.sin(0.03)]]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_only_distances_matter():
    query, key = jax.random.normal(KEY, (2, 1, 1, 8))
    products = [
        float(jnp.sum(rotate(query, jnp.array([q])) * rotate(key, jnp.array([k]))))
        for q, k in ((5, 2), (9, 6), (9, 2))
    ]
    assert products[0] == pytest.approx(products[1], rel=1e-4)
    assert abs(products[0] - products[2]) > 1e-2
