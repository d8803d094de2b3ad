"""Large batches are computed in blocks, and nobody notices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.nets.blocks import BLOCK, in_blocks


@pytest.mark.parametrize("n", [1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_an_example_is_what_it_is_alone(n):
    """Whatever the last block is filled up with is cut off again."""
    x = jnp.arange(2.0 * n).reshape(n, 2)
    found, slope = jax.jvp(lambda x: in_blocks(lambda b: b[:, :1] * b[:, 1:], x), (x,), (x,))
    np.testing.assert_array_equal(found, x[:, :1] * x[:, 1:])
    np.testing.assert_array_equal(slope, 2 * found)


def test_no_block_is_larger_than_a_block():
    seen = []

    def noted(x):
        seen.append(len(x))
        return x

    in_blocks(noted, jnp.zeros((2 * BLOCK + 1, 1)))
    assert set(seen) == {11}, "three blocks of 11, not two of 16 and one of 1"
    seen.clear()
    in_blocks(noted, jnp.zeros((BLOCK, 1)))
    assert seen == [BLOCK]
