"""The relation module of relation networks, held against its layers written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs

KEY = jax.random.key(0)


def by_hand(head, x):
    """Twice: convolve, normalise over an image, ReLU, the largest of four; then two layers."""
    for block in head.blocks:
        x = jax.lax.conv_general_dilated(
            x, block.kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = (x - x.mean((1, 2, 3), keepdims=True)) / jnp.sqrt(
            x.var((1, 2, 3), keepdims=True) + 1e-5
        )
        height, width = (size // 2 * 2 for size in x.shape[1:3])
        x = jax.nn.relu(x)[:, :height, :width]
        x = x.reshape(len(x), height // 2, 2, width // 2, 2, -1).max((2, 4))
    first, last = head.dense.layers
    hidden = jax.nn.relu(x.reshape(len(x), -1) @ first.weight + first.bias[None])
    return hidden @ last.weight + last.bias[None]


@pytest.mark.parametrize("size", [4, 7])
def test_two_blocks_and_two_layers(size):
    head = qs.ConvRelation((size, size, 6), filters=5, hidden=3, key=KEY)
    x = jax.random.normal(jax.random.key(1), (20, size, size, 6))
    assert [layer.weight.shape for layer in head.dense.layers] == [(5, 3), (3, 1)]
    np.testing.assert_allclose(head(x), by_hand(head, x), rtol=1e-4, atol=1e-5)


def test_maps_that_are_too_small_are_refused():
    with pytest.raises(qs.BadInput, match=r"maps of 3×9 are too small .*4×4 at least"):
        qs.ConvRelation((3, 9, 4), key=KEY)


def test_conv4_leaves_maps_for_it():
    """Two halvings of four, and what is read is the map."""
    body = qs.Conv4((28, 28, 1), filters=4, readout="map", halvings=2, key=KEY)
    x = jax.random.uniform(jax.random.key(1), (3, 28, 28, 1))
    assert body.size == (7, 7)
    assert body(x).shape == (3, 7, 7, 4)
    halved = [block(jnp.ones((1, 8, 8, block.kernel.shape[2]))).shape[1] for block in body.blocks]
    assert halved == [4, 4, 8, 8]
    with pytest.raises(qs.BadInput, match=r"too small for 2 2×2 poolings \(4×4"):
        qs.Conv4((3, 3, 1), halvings=2, key=KEY)
