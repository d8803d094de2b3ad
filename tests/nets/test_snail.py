"""SNAIL: its layers by hand, and the paper's stack of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets.snail import AttentionRead, DenseConvolution

KEY = jax.random.key(0)


@pytest.mark.parametrize(("past", "dilations"), [(3, [1, 2]), (4, [1, 2, 4]), (5, [1, 2, 4])])
def test_snail_spans_the_support_set_and_the_query(past, dilations):
    """T = N·K + 1 inputs take ⌈log₂ T⌉ convolutions, with dilations 1, 2, 4 …"""
    layers = qs.SNAIL.create(3, filters=4, attention=((4, 4), (4, 4)), past=past, key=KEY).layers
    assert [own.dilation for own in layers if isinstance(own, DenseConvolution)] == dilations
    assert sum(dilations) >= past, "the query sees the first example through them"


def test_snail_is_the_papers_stack():
    """5-way 5-shot: five convolutions of 128 filters between attentions of the paper's sizes."""
    memory = jax.eval_shape(lambda: qs.SNAIL.create(64 + 5, past=25, key=KEY))
    block = [*(("convolution", 2**j) for j in range(5))]
    found = [
        ("convolution", layer.dilation)
        if isinstance(layer, DenseConvolution)
        else (layer.keys, layer.project.weight.shape[1] - 2 * layer.keys)
        for layer in memory.layers
    ]
    assert found == [(64, 32), *block, (256, 128), *block, (512, 256)]
    assert memory.features == 69 + 32 + 5 * 128 + 128 + 5 * 128 + 256


def test_a_dense_convolution_by_hand():
    """a = 2x_t + 3x_{t−2} and b = x_t − x_{t−2} + 1, the earlier 0 where there is none, and where
    it is of another sequence."""
    gates = qs.Linear(jnp.array([[2.0, 1.0], [3.0, -1.0]]), jnp.array([0.0, 1.0]))
    layer = DenseConvolution(gates, 2)
    xs = np.array([0.1, -0.2, 0.3, 0.4, 0.5])
    for ages, earlier in (([0, 1, 2, 3, 4], [0, 0, 0.1, -0.2, 0.3]), ([0, 1, 0, 1, 2], [0] * 4)):
        earlier = np.array([*earlier, 0.3][:5])
        _, found = layer.apply(None, jnp.asarray(xs, jnp.float32)[:, None], jnp.array(ages))
        a, b = 2 * xs + 3 * earlier, xs - earlier + 1
        wanted = np.stack([xs, np.tanh(a) / (1 + np.exp(-b))], 1)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_an_attention_read_by_hand():
    """Query 1, key x and value 10x of inputs 0 and log 3: the second reads ¼ · 0 + ¾ · 10 log 3,
    and the first itself."""
    project = qs.Linear(jnp.array([[0.0, 1.0, 10.0]]), jnp.array([1.0, 0.0, 0.0]))
    layer = AttentionRead(project, 1, past=3)
    xs = jnp.array([[0.0], [jnp.log(3.0)]])
    _, found = layer.apply(None, xs, jnp.array([0, 1]))
    wanted = [[0, 0], [np.log(3), 7.5 * np.log(3)]]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    # Scores are divided by √d: two equal keys of log 3 / √2 are one of log 3.
    twice = qs.Linear(jnp.array([[0, 0, 1, 1, 10.0]]) / jnp.sqrt(2.0), jnp.array([1.0, 1, 0, 0, 0]))
    _, found = AttentionRead(twice, 2, past=3).apply(None, xs, jnp.array([0, 1]))
    np.testing.assert_allclose(found[1, 1], 7.5 * np.log(3) / np.sqrt(2), rtol=1e-5)
