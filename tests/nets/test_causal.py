"""Looking back: ages, what is visible, and attention by hand."""

import jax.numpy as jnp
import numpy as np

from quickstudy.nets.causal import ages_of, attend, visible


def test_ages_by_hand():
    resets = jnp.array([False, True, False, False, True])
    assert ages_of(jnp.asarray(3), resets).tolist() == [3, 0, 1, 2, 0]


def test_visible_by_hand():
    """Two inputs, the second fresh, with two places before them, or none."""
    found = visible(jnp.array([1, 0]), 2, 2).astype(int)
    assert found.tolist() == [[0, 1, 1, 0], [0, 0, 0, 1]]
    assert visible(jnp.array([1, 0]), 2, 0).astype(int).tolist() == [[1, 0], [0, 1]]


def test_attention_by_hand():
    """Scores 0 and log 3 share out 1/4 and 3/4; with nothing to see the answer is 0."""
    keys = jnp.array([[[0.0]], [[jnp.log(3.0)]]])
    values = jnp.array([[[4.0]], [[8.0]]])
    see = jnp.array([[True, True], [True, False], [False, False]])
    found = attend(jnp.ones((3, 1, 1)), keys, values, see)
    np.testing.assert_allclose(found[:, 0, 0], [7, 4, 0], rtol=1e-6)
