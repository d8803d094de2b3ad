"""First weights of policies: those of the papers, and how large features are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.rl.first_weights import BIASES, Glorot, He

KEY = jax.random.key(0)


def test_glorot_s_are_uniform_and_without_biases():
    """Within ± √(6 / (n + m)), of variance 2 / (n + m), each layer another draw."""
    body, head = Glorot().body(100, (100, 300), key=KEY), Glorot().head(300, 100, key=KEY)
    for layer in (*body.layers, head):
        n, m = layer.weight.shape
        most = (6 / (n + m)) ** 0.5
        assert 0.99 * most < float(jnp.abs(layer.weight).max()) <= most
        np.testing.assert_allclose(jnp.var(layer.weight), 2 / (n + m), rtol=0.05)
        assert not layer.bias.any()
    drawn = [layer.weight[0, :100] / jnp.std(layer.weight) for layer in body.layers]
    assert abs(float(jnp.corrcoef(*drawn)[0, 1])) < 0.4


def test_he_s_are_normal_with_drawn_biases_and_a_head_of_zeros():
    """The weights of an MLP drawn with the first half of the key, as ever."""
    body = He().body(50, (400, 400), key=KEY)
    usual = qs.MLP(50, (400, 400), last=jax.nn.relu, key=jax.random.split(KEY)[0])
    for layer, other in zip(body.layers, usual.layers, strict=True):
        np.testing.assert_array_equal(layer.weight, other.weight)
        np.testing.assert_allclose(jnp.std(layer.bias), BIASES, rtol=0.1)
    assert not He().head(400, 2, key=KEY).weight.any()
    small = He().context_head(400, 50, key=KEY).weight
    np.testing.assert_allclose(jnp.std(small), 0.1 / 20, rtol=0.05)


def test_he_s_features_do_not_vanish_at_the_origin():
    """With biases of zero they would, and grow from there: later updates would overshoot."""
    body = He().body(2, (64, 64), key=KEY)
    sizes = [float(jnp.linalg.norm(body(jnp.full((1, 2), at)))) for at in (0.0, 0.5)]
    assert sizes[1] < 3 * sizes[0]


@pytest.mark.parametrize("first", [Glorot(), He()])
def test_a_policy_has_the_weights_asked_for(first):
    policy = qs.Reactive.create(qs.Navigation(), (8, 8), key=KEY, first=first)
    body = first.body(2, (8, 8), key=KEY)
    for layer, wanted in zip(policy.body.layers, body.layers, strict=True):
        np.testing.assert_array_equal(layer.weight, wanted.weight)
        np.testing.assert_array_equal(layer.bias, wanted.bias)
    assert bool(policy.head.weight.any()) == isinstance(first, Glorot)
