"""Conv4: its shapes, and the textbook's four blocks in value and in gradient."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets import conv4
from quickstudy.nets.norm import NORMS, make_norm, observing

KEY = jax.random.key(0)
KEYS = jax.random.split(jax.random.key(0), 3)


def only_floating_point_arrays(tree):
    return all(eqx.is_inexact_array(leaf) for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("downsample", ["pool", "stride"])
@pytest.mark.parametrize("readout", ["flatten", "mean"])
@pytest.mark.parametrize("size", [(28, 28), (17, 33)])
def test_conv4_knows_its_features(downsample, readout, size):
    net = qs.Conv4((*size, 2), filters=3, downsample=downsample, readout=readout, key=KEY)
    out = jax.eval_shape(net, jnp.zeros((5, *size, 2)))
    assert out.shape == (5, net.features)
    assert only_floating_point_arrays(net)


@pytest.mark.parametrize(("downsample", "smallest"), [("pool", 16), ("stride", 1)])
def test_conv4_smallest_image(downsample, smallest):
    net = qs.Conv4((smallest, smallest, 1), filters=2, downsample=downsample, key=KEY)
    assert net.features == 2


def test_conv4_too_small():
    with pytest.raises(qs.BadInput, match=r"15×40 are too small.*downsample='stride'"):
        qs.Conv4((15, 40, 1), key=KEY)


def textbook_block(block, x):
    """Convolution, normalisation, ReLU, then pooling, in the order of the papers."""
    x = jax.lax.conv_general_dilated(
        x, block.kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    window = (1, 2, 2, 1)
    return jax.lax.reduce_window(
        jax.nn.relu(block.norm(x)), -jnp.inf, jax.lax.max, window, window, "VALID"
    )


def with_drawn_scales(net, key):
    """Scales and shifts of either sign: a trained network has them, a new one has not."""
    drawn = jax.random.normal(key, (len(net.blocks), 2, net.blocks[0].norm.scale.shape[0]))
    return eqx.tree_at(
        lambda net: [
            (block.norm.scale, block.norm.shift)[i] for block in net.blocks for i in (0, 1)
        ],
        net,
        [values for pair in drawn for values in pair],
    )


@pytest.mark.parametrize("norm", ["layer", "batch", "support"])
def test_conv4_is_four_textbook_blocks(norm):
    """In value and in gradient, whatever the signs of the scales."""
    net = qs.Conv4((16, 16, 1), filters=4, norm=norm, key=KEY)
    net = with_drawn_scales(net, jax.random.key(2))
    x, seen = jax.random.normal(jax.random.key(1), (2, 3, 16, 16, 1))

    def textbook(net, x):
        for block in net.blocks:
            x = textbook_block(block, x)
        return x.reshape(x.shape[0], -1)

    def slope(apply):
        return eqx.filter_jit(eqx.filter_grad(lambda net: jnp.sum(jnp.sin(3 * apply(net, x)))))

    np.testing.assert_allclose(net(x), textbook(net, x), rtol=1e-3, atol=1e-5)
    found, wanted = slope(lambda net, x: net(x))(net), slope(textbook)(net)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3 * np.abs(theirs).max())
    if norm == "support":
        kept = net.condition(seen)
        both = textbook(kept, x)
        np.testing.assert_allclose(kept(x), both, rtol=1e-3, atol=1e-5)
        assert float(jnp.max(jnp.abs(both - net(x)))) > 1e-3


@pytest.mark.parametrize("norm", NORMS)
def test_conditioning_on_the_queries_themselves_changes_nothing(norm):
    """Support statistics of the very batch that is judged are its batch statistics."""
    net = qs.Conv4((4, 4, 1), filters=8, norm=norm, downsample="stride", key=KEY)
    x = jax.random.normal(jax.random.key(1), (6, 4, 4, 1))
    np.testing.assert_allclose(net.condition(x)(x), net(x), rtol=1e-4, atol=1e-5)


def block_of(norm):
    scale = jnp.array([1.0, -0.5, 2.0])
    kernel = jax.random.normal(KEYS[0], (3, 3, 2, 3))
    own = observing(make_norm(norm, 3))
    own = jax.tree.map(jnp.asarray, own)
    object.__setattr__(own, "scale", scale)
    return conv4.ConvBlock(kernel, own, "pool")


@pytest.mark.parametrize("norm", ["batch", "support", "running"])
@pytest.mark.parametrize("n", [6, 7])
def test_in_blocks_to_the_second_derivative(norm, n, monkeypatch):
    """Seven images are blocks of three, three and one with two images of padding."""
    with jax.enable_x64(True):
        block = jax.tree.map(lambda a: jnp.asarray(np.asarray(a, np.float64)), block_of(norm))
        x = jax.random.normal(KEYS[1], (n, 7, 6, 2), jnp.float64)

        def everything(block):
            def loss(block):
                return jnp.sum(jnp.sin(block(x)))

            gradient = jax.grad(loss)
            return block(x), gradient(block), jax.jvp(gradient, (block,), (block,))[1]

        whole = jax.jit(lambda: everything(block))()
        monkeypatch.setattr(conv4, "BLOCK_BYTES", 3 * (7 * 6 * 3 * 8))
        calls = []
        real = conv4.in_blocks
        monkeypatch.setattr(conv4, "in_blocks", lambda *a: calls.append(a) or real(*a))
        parts = jax.jit(lambda: everything(block))()
        assert calls, "it must be in blocks"
        for found, wanted in zip(*map(jax.tree.leaves, (parts, whole)), strict=True):
            tolerance = 1e-10 * max(1e-3, np.abs(wanted).max())
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=tolerance)


def test_memory_of_the_first_layer():
    """The full-size activations of 60 images, 12 MB of them, are never there at once."""
    body = qs.Conv4((28, 28, 1), norm="batch", key=KEYS[0])
    x = jnp.zeros((60, 28, 28, 1))

    def loss(block):
        return jnp.sum(block(x))

    step = jax.jit(jax.grad(loss)).lower(body.blocks[0]).compile()
    assert step.memory_analysis().temp_size_in_bytes < 60 * 28 * 28 * 64 * 4
