"""MLP, Conv4 and what is wrapped around them: shapes, arithmetic by hand, bad input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets.network import Network, condition, is_transductive
from quickstudy.nets.norm import NORMS

KEY = jax.random.key(0)


def only_floating_point_arrays(tree):
    return all(eqx.is_inexact_array(leaf) for leaf in jax.tree.leaves(tree))


def test_linear_by_hand():
    layer = qs.Linear(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([10.0, 20.0]))
    assert layer(jnp.array([[1.0, 1.0], [2.0, 0.0]])).tolist() == [[14.0, 26.0], [12.0, 24.0]]
    assert qs.Linear.zeros(3, 2)(jnp.ones((1, 3))).tolist() == [[0.0, 0.0]]


def test_mlp_by_hand():
    mlp = qs.MLP(1, (2, 1), key=KEY)
    layers = (
        qs.Linear(jnp.array([[1.0, -1.0]]), jnp.array([0.0, 1.0])),
        qs.Linear(jnp.array([[2.0], [3.0]]), jnp.array([0.5])),
    )
    mlp = eqx.tree_at(lambda m: m.layers, mlp, layers)
    # x = 2: hidden (2, max(−1, 0)); x = −1: hidden (0, 2).
    assert mlp(jnp.array([[2.0], [-1.0]])).tolist() == [[4.5], [6.5]]


def test_mlp_keeps_the_variance():
    mlp = qs.MLP(200, (200, 200, 200), key=KEY)
    x = jax.random.normal(jax.random.key(1), (100, 200))
    assert float(jnp.var(mlp(x))) == pytest.approx(1, abs=0.4)


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


def test_condition_reaches_the_body():
    body = qs.Conv4((4, 4, 1), filters=8, norm="support", downsample="stride", key=KEY)
    net = qs.Headed(body, qs.Linear.create(8, 2, key=KEY))
    support, query = jax.random.normal(KEY, (2, 6, 4, 4, 1))
    seen = condition(net, support)
    alone = jnp.concatenate([seen(query[i : i + 1]) for i in range(6)])
    np.testing.assert_allclose(seen(query), alone, rtol=1e-4, atol=1e-5)
    assert float(jnp.max(jnp.abs(net(query) - seen(query)))) > 1e-3


def test_networks_without_statistics_are_left_alone():
    mlp = qs.MLP(2, (3,), key=KEY)
    assert condition(mlp, jnp.zeros((1, 2))) is mlp
    assert isinstance(mlp, Network)


@pytest.mark.parametrize("norm", NORMS)
def test_transduction_is_found_wherever_it_is(norm):
    body = qs.Conv4((4, 4, 1), filters=8, norm=norm, downsample="stride", key=KEY)
    learner = qs.MAML(qs.Headed(body, qs.Linear.zeros(8, 2)))
    assert is_transductive(learner) == learner.transductive == (norm == "batch")


def test_any_equinox_module_can_be_meta_learned():
    """Its activation function is a leaf that is no array; it is left in place."""
    model = qs.Batched(eqx.nn.MLP(1, 1, 8, 1, activation=jax.nn.tanh, key=KEY))
    learner = qs.MAML(model, inner_lr=0.1, steps=2, loss=qs.squared_error)
    task = qs.Sinusoid(shots=5).sample(KEY)
    gradient, metrics = eqx.filter_jit(lambda: learner.meta_gradient(task))()
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradient))
    before = qs.squared_error(learner.unadapted(task.support)(task.support.x), task.support.y)
    after = qs.squared_error(learner.adapt(task.support)(task.support.x), task.support.y)
    assert float(after) < float(before)
    assert np.isfinite(float(metrics["loss"]))


def test_any_loss_can_be_meta_learned():
    def absolute_error(outputs, y):
        return jnp.mean(jnp.abs(outputs - y))

    learner = qs.MAML(qs.MLP(1, (8, 1), key=KEY), loss=absolute_error)
    task = qs.Sinusoid(shots=5).sample(KEY)
    outputs = learner.adapt(task.support)(task.query.x)
    found = learner.meta_loss(task)[1]["loss"]
    np.testing.assert_allclose(found, np.mean(np.abs(outputs - task.query.y)), rtol=1e-5)
