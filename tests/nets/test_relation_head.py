"""The relation module of relation networks, held against its layers written out."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.learners.relation import pairs

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


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_pairs_share_the_first_convolution(norm):
    """A class's half of it and a query's are each made once, and added; scores and gradients are
    those of all pairs."""
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), 4)
        head = qs.ConvRelation((5, 4, 6), filters=5, hidden=3, norm=norm, key=keys[0])
        classes, f = (jax.random.normal(k, (n, 5, 4, 3)) for k, n in zip(keys[1:], (3, 17)))  # noqa: B905
        weights = jax.random.normal(keys[3], (51, 1))

        def shared(head, classes, f):
            return jnp.sum(weights * head.compare(classes, f))

        def apart(head, classes, f):
            return jnp.sum(weights * head(pairs(classes, f)))

        found, wanted = (
            eqx.filter_value_and_grad(lambda parts, how=how: how(*parts))((head, classes, f))
            for how in (shared, apart)
        )
        for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


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
