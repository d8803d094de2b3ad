"""The door of every learner: what is refused, and how a predictor reads what it is given."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.learners.adapted import Adapted, shape_of

KEY = jax.random.key(0)
BYTES = np.random.default_rng(0).integers(0, 256, (6, 16, 16), np.uint8)
COLOUR = np.stack([BYTES] * 3, -1)
SUPPORT = qs.Examples.of(BYTES, [0, 1, 2, 0, 1, 2])


def conv(channels=1):
    return qs.Conv4((16, 16, channels), filters=4, downsample="stride", key=KEY)


def headed(channels=1, ways=3):
    return qs.Headed(conv(channels), qs.Linear.create(4, ways, key=KEY))


LEARNERS = {
    "prototypical": lambda: qs.Prototypical(conv()),
    "matching": lambda: qs.Matching(conv()),
    "ridge": lambda: qs.RidgeRegression(conv()),
    "maml": lambda: qs.MAML(headed(), steps=1),
    "anil": lambda: qs.ANIL(headed(), steps=1),
    "reptile": lambda: qs.Reptile(headed(), steps=1, test_steps=1, batch=30),
    "centroid": lambda: qs.NearestCentroid(conv(), qs.Linear.zeros(4, 9)),
    "black box": lambda: qs.BlackBox.create(conv(), 4, outputs=3, memory=qs.GRU, key=KEY),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_queries_are_read_as_the_support_set_was(name):
    """Bytes, 16 bits and floats from 0 to 1 of the same images have the same answers."""
    predictor = LEARNERS[name]().adapt(SUPPORT)
    wanted = predictor(SUPPORT.x)
    assert np.ptp(wanted) > 1e-6
    for given in (BYTES, jnp.asarray(BYTES), BYTES.astype(np.uint16) * 257, BYTES[..., None]):
        np.testing.assert_allclose(predictor(given), wanted, rtol=1e-3, atol=1e-4)


def test_the_support_set_is_read_however_it_is_made():
    learner, labels = qs.Prototypical(conv()), jnp.arange(6) % 3
    found = learner.adapt(qs.Examples(jnp.asarray(BYTES), labels, 3))(BYTES)
    np.testing.assert_allclose(found, learner.adapt(SUPPORT)(BYTES), rtol=1e-5)
    inside = eqx.filter_jit(lambda own, x: own.adapt(SUPPORT)(x))(learner, BYTES)
    np.testing.assert_allclose(inside, learner.adapt(SUPPORT)(BYTES), rtol=1e-3, atol=1e-4)


SEVEN = qs.Examples.of(np.repeat(BYTES[:1], 7, 0), np.arange(7))


@pytest.mark.parametrize("name", ["maml", "anil", "black box"])
def test_more_classes_than_outputs_are_refused(name):
    with pytest.raises(qs.BadInput, match=r"built for 3 outputs .* 7"):
        LEARNERS[name]().adapt(SEVEN)


def test_compiled_predictors_say_so_too():
    with pytest.raises(qs.BadInput, match=r"3.* outputs and the support set has 7 classes"):
        eqx.filter_jit(lambda own, s: own.adapt(s)(s.x))(LEARNERS["maml"](), SEVEN)
    five = qs.Examples.of(BYTES[:2], [0, 1]).among(3)
    assert LEARNERS["maml"]().adapt(five)(BYTES).shape == (6, 3)


def test_adapting_checks_what_training_checks():
    regression = qs.Examples.of(np.zeros((2, 3)), [0.5, 0.25])
    with pytest.raises(qs.BadInput, match="needs class labels"):
        qs.Prototypical(qs.MLP(3, (4,), key=KEY)).adapt(regression)
    with pytest.raises(qs.BadInput, match="has no body and head"):
        qs.ANIL(qs.MLP(3, (2,), key=KEY)).adapt(qs.Examples.of(np.zeros((2, 3)), [0, 1]))


PREDICTOR = qs.Prototypical(conv()).adapt(SUPPORT)
QUERIES = {
    "one image": (BYTES[0, ..., None], r"one example, \[16, 16, 1\]; give a batch: x\[None\]"),
    "one image of bytes": (BYTES[0], r"x is \[16, 16\]: .*without a channel; give x\[None, \.\.\."),
    "colour": (COLOUR, r"colour images, and the network takes grey.*channels=1.*\[16, 16, 1\]"),
    "no channel": (BYTES / 255, r"x is \[6, 16, 16\]: images without a channel; give x\[\.\.\., N"),
    "channels first": (BYTES[:, None], r"channels first.*np\.moveaxis"),
    "floats to 255": (BYTES[..., None] * 1.0, r"float64 in .*, outside 0 \.\.\. 1.*see as_images"),
    "whole numbers": (BYTES[..., None].astype(int), "range is not known"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_wrong_queries_are_told_from_right_ones(name):
    x, message = QUERIES[name]
    with pytest.raises(qs.BadInput, match=message):
        PREDICTOR(x)


SUPPORTS = {
    "colour": (conv(1), COLOUR, "colour images, and the network takes grey ones"),
    "grey": (conv(3), BYTES, "grey images, and the network takes colour ones"),
    "vectors": (qs.MLP(256, (4,), key=KEY), BYTES, r"takes vectors; give x\.reshape"),
    "no channel": (conv(1), BYTES / 255, "images without a channel"),
    "channels first": (conv(3), np.moveaxis(COLOUR, -1, 1) / 255, "channels first"),
}


@pytest.mark.parametrize("name", SUPPORTS)
def test_wrong_support_sets_are_told_from_right_ones(name):
    network, x, message = SUPPORTS[name]
    with pytest.raises(qs.BadInput, match=message):
        qs.Prototypical(network).adapt(qs.Examples.of(x, [0, 1, 2, 0, 1, 2]))


def test_other_mistakes_stay_what_they_are():
    def broken(x):
        raise ValueError("my own mistake")

    with pytest.raises(ValueError, match="my own mistake") as caught:
        qs.Prototypical(broken).adapt(SUPPORT)
    assert "x is [6, 16, 16, 1]" in caught.value.__notes__[0]
    assert not isinstance(caught.value, qs.BadInput)


def test_features_are_left_alone():
    x = np.array([[300.0, -5.0], [1.0, 2.0]])
    predictor = qs.Prototypical(lambda x: x).adapt(qs.Examples.of(x, [0, 1]))
    assert predictor(x[:1]).tolist()[0][0] == 0


def test_a_predictor_shows_what_it_is_made_of():
    assert isinstance(PREDICTOR, Adapted)
    assert PREDICTOR.centres.shape == (3, 4)
    with pytest.raises(AttributeError):
        PREDICTOR.nothing  # noqa: B018
    moved = jax.tree.map(lambda leaf: leaf, PREDICTOR)
    np.testing.assert_array_equal(moved(BYTES), PREDICTOR(BYTES))


def test_shapes_are_traced_once():
    traced = []

    def network(model, x):
        traced.append(x.shape)
        return model @ x

    for size in (2, 2, 3, 3):
        assert shape_of(network, jnp.ones((4, size)), np.ones(size, np.float32)).shape == (4,)
    assert len(traced) == 2
