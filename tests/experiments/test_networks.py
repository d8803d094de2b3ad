"""Networks as settings: what reads which inputs, and what a head reads of it."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.networks import (
    Conv4Config,
    MLPConfig,
    OwnNetworkConfig,
    ResNet12Config,
    with_head,
)
from quickstudy.experiments.settings import Own
from quickstudy.nets.mixed_precision import MixedPrecision

KEY = jax.random.key(0)
IMAGE = (16, 16, 3)


def shapes(config, inputs):
    """The body's features, by what it says and by what it makes of a batch of two."""
    body, size = eqx.filter_eval_shape(lambda: config.body(inputs, key=KEY))
    batch = jax.ShapeDtypeStruct((2, *inputs), jnp.float32)
    return size, eqx.filter_eval_shape(lambda own, x: own(x), body, batch).shape


@pytest.mark.parametrize(
    ("config", "inputs", "size"),
    [
        (Conv4Config(filters=2), IMAGE, 2),
        (Conv4Config(filters=2), (28, 28, 1), 2 * 2 * 2),
        (Conv4Config(filters=2, readout="mean"), (28, 28, 1), 2),
        (Conv4Config(filters=2, downsample="pool"), IMAGE, 2),
        (ResNet12Config(filters=2), IMAGE, 20),
        (MLPConfig(width=7, layers=1), (4,), 7),
        (MLPConfig(width=7, layers=2), IMAGE, 7),
    ],
)
def test_a_body_makes_as_many_features_as_it_says(config, inputs, size):
    assert shapes(config, inputs) == (size, (2, size))


@pytest.mark.parametrize("config", [Conv4Config(), ResNet12Config()])
def test_images_only(config):
    config.check(IMAGE)
    for attempt in (config.check, lambda inputs: config.body(inputs, key=KEY)):
        with pytest.raises(qs.BadInput, match=rf"--network {config.name} reads images .* \[4\]"):
            attempt((4,))


def test_under_a_head_strided_maps_are_averaged():
    """As MAML's published code does; what was asked for stays."""
    assert Conv4Config().under_a_head().readout == "mean"
    assert Conv4Config(downsample="pool").under_a_head().readout == "flatten"
    assert Conv4Config(readout="flatten").under_a_head().readout == "flatten"
    assert MLPConfig().under_a_head() == MLPConfig()


def test_a_head_starts_at_zero_or_is_drawn():
    config = MLPConfig(width=3, layers=1)
    zero, drawn = (with_head(config, (2,), 4, key=KEY, head=head) for head in (None, KEY))
    assert zero(jnp.ones((1, 2))).tolist() == [[0] * 4]
    assert drawn.head.weight.shape == (3, 4)
    assert np.all(drawn.head.weight)


def own(function):
    return OwnNetworkConfig(own=Own("nets.py:net", function))


def test_one_s_own_says_by_its_shapes_how_many_features_it_makes():
    assert own(lambda inputs, key: lambda x: x[:, :3]).body((5,), key=KEY)[1] == 3


@pytest.mark.parametrize("wrong", [lambda x: x[:, 0], lambda x: x[:1], lambda x: None])
def test_one_s_own_must_make_features(wrong):
    with pytest.raises(qs.BadInput, match=r"nets\.py:net makes .* of a batch of 2 inputs \[5\]"):
        own(lambda inputs, key: wrong).body((5,), key=KEY)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (lambda: eqx.nn.Linear(5, 3, key=KEY), "TypeError"),
        (lambda: qs.Batched(eqx.nn.Dropout(0.5)), "RuntimeError: Dropout requires a key"),
        (lambda: qs.Batched(eqx.nn.BatchNorm(5, "n", mode="batch")), "AttributeError|TypeError"),
    ],
)
def test_one_s_own_that_takes_no_batch_names_what_makes_it_take_one(kind, said):
    with pytest.raises(qs.BadInput, match=rf"nets\.py:net fails on .*Batched .*Noisy .*({said})"):
        own(lambda inputs, key: kind()).body((5,), key=KEY)


@pytest.mark.parametrize("config", [Conv4Config(filters=4), ResNet12Config(filters=2)])
def test_what_a_network_computes_in_is_a_choice(config):
    low, features = dataclasses.replace(config, compute="bfloat16").body((32, 32, 1), key=KEY)
    exact, same = config.body((32, 32, 1), key=KEY)
    assert isinstance(low, MixedPrecision)
    assert not isinstance(exact, MixedPrecision)
    assert features == same
    assert jax.tree.leaves(low)[0].dtype == jnp.float32
