"""Augmentations by hand: their formulas, and that every image has a draw of its own."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.tasks.augmentations import (
    ColourJitter,
    RandomCrop,
    RandomFlip,
    Standardise,
    Transforms,
)

RNG = np.random.RandomState(0)
KEY = jax.random.key(0)
COLOUR = RNG.rand(5, 6, 7, 3).astype(np.float32)
SAME = np.repeat(COLOUR[:1], 64, 0)


def changed(transform, images, key=KEY):
    found = jax.jit(lambda x: transform(x, jnp.zeros(len(x), int), key=key))(jnp.asarray(images))
    assert found.shape == images.shape
    assert found.dtype == jnp.float32
    return np.asarray(found)


def windows(image, padding, mode):
    """Every crop that there is, by its place."""
    h, w = image.shape[:2]
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)), mode=mode)
    places = itertools.product(range(2 * padding + 1), repeat=2)
    return {(r, s): padded[r : r + h, s : s + w].tobytes() for r, s in places}


@pytest.mark.parametrize(
    ("border", "mode"), [("reflect", "reflect"), ("edge", "edge"), ("zero", "constant")]
)
def test_a_crop_is_a_window_of_the_padded_image(border, mode):
    known = {one: place for place, one in windows(SAME[0], 2, mode).items()}
    assert len(known) == 25
    many = np.repeat(SAME[:1], 400, 0)
    drawn = [known[image.tobytes()] for image in changed(RandomCrop(2, border), many)]
    assert set(drawn) == set(known.values()), "every window, for each image by itself"
    assert np.bincount([r for r, _ in drawn]).min() > 50
    assert np.bincount([s for _, s in drawn]).min() > 50
    np.testing.assert_array_equal(changed(RandomCrop(0, border), COLOUR), COLOUR)


def test_a_crop_that_cannot_be():
    assert RandomCrop(5)(jnp.asarray(COLOUR), jnp.zeros(5, int), key=KEY).shape == COLOUR.shape
    with pytest.raises(qs.BadInput, match=r"padding is 6 and images are 6×7.*give 5 or less"):
        changed(RandomCrop(6), COLOUR)
    assert changed(RandomCrop(6, "edge"), COLOUR).shape == COLOUR.shape
    with pytest.raises(qs.BadInput, match="padding is -1"):
        RandomCrop(-1)
    with pytest.raises(qs.BadInput, match="border is 'white'; give one of reflect, edge, zero"):
        RandomCrop(1, "white")


def test_half_of_the_images_are_flipped():
    found = changed(RandomFlip(), SAME)
    flipped = [(image == SAME[0, :, ::-1]).all() for image in found]
    kept = [(image == SAME[0]).all() for image in found]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 20 < sum(flipped) < 44


def blend(image, other, factor):
    return np.clip(factor * image + (1 - factor) * other, 0, 1)


def grey(image):
    return image @ np.array([0.299, 0.587, 0.114])


def brighter(image, factor):
    return blend(image, 0.0, factor)


def contrasted(image, factor):
    return blend(image, grey(image).mean(), factor)


def saturated(image, factor):
    return blend(image, grey(image)[..., None], factor)


STEPS = {"brightness": brighter, "contrast": contrasted, "saturation": saturated}
STILL = dict.fromkeys(STEPS, 0.0)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("strength", [0.4, 1.5])
def test_one_change_of_colours_is_torchvisions(name, strength):
    """With one strength above 0, some factor of its range explains all pixels of an image."""
    found = changed(ColourJitter(**STILL | {name: strength}), SAME)
    factors = np.linspace(max(0.0, 1 - strength), 1 + strength, 1001)
    candidates = np.stack([STEPS[name](SAME[0], f) for f in factors])
    errors = np.abs(candidates[:, None] - found[None]).max((2, 3, 4))
    assert errors.min(0).max() < 2e-3
    drawn = factors[errors.argmin(0)]
    third = (factors[-1] - factors[0]) / 3
    counts = np.histogram(drawn, bins=factors[0] + third * np.arange(4))[0]
    assert counts.min() > 8, "from one end of the range to the other, for each image by itself"


def test_changes_of_colours_have_every_order():
    """The draws are repeated by hand, image by image."""
    jitter = ColourJitter(0.9, 0.7, 0.5)
    found, seen = changed(jitter, SAME), set()
    for image, key in zip(found, jax.random.split(KEY, len(SAME)), strict=True):
        order_key, factor_key = jax.random.split(key)
        draws = np.asarray(jax.random.uniform(factor_key, (3,)))
        factors = 1 + np.array([0.9, 0.7, 0.5]) * (2 * draws - 1)
        order = jax.random.permutation(order_key, 3).tolist()
        wanted = SAME[0]
        for which in order:
            wanted = list(STEPS.values())[which](wanted, factors[which])
        np.testing.assert_allclose(image, wanted, atol=1e-5)
        seen.add(tuple(order))
    assert len(seen) == 6


def test_colours_of_grey_images():
    images = SAME[..., :1]
    np.testing.assert_allclose(changed(ColourJitter(0, 0, 0.9), images), images, atol=1e-6)
    assert (changed(ColourJitter(0.5, 0.5, 0.5), images) != images).any()
    with pytest.raises(qs.BadInput, match="these have 2: convert them by as_images"):
        changed(ColourJitter(), SAME[..., :2])
    with pytest.raises(qs.BadInput, match=r"contrast is -0\.1"):
        ColourJitter(contrast=-0.1)


def test_channels_are_standardised():
    mean, deviation = COLOUR.mean((0, 1, 2)), COLOUR.std((0, 1, 2))
    found = changed(Standardise(mean.tolist(), deviation.tolist()), COLOUR)
    np.testing.assert_allclose(found, (COLOUR - mean) / deviation, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.std((0, 1, 2)), 1, rtol=1e-5)
    with pytest.raises(qs.BadInput, match="mean has 1 channels, and images have 3"):
        changed(Standardise((0.5,), (0.5,)), COLOUR)
    for wrong in ((0.5, 0.0), (0.5,)):
        with pytest.raises(qs.BadInput, match="deviations above 0"):
            Standardise((0.5, 0.5), wrong)


def test_transforms_are_applied_in_their_order_with_keys_of_their_own():
    double, shift = Standardise((0.0,) * 3, (0.5,) * 3), Standardise((1.0,) * 3, (1.0,) * 3)
    np.testing.assert_allclose(changed(Transforms((double, shift)), COLOUR), 2 * COLOUR - 1)
    # Two flips with one key would undo each other.
    twice = changed(Transforms([RandomFlip(), RandomFlip()]), SAME)
    assert 20 < sum((image != SAME[0]).any() for image in twice) < 44


def test_the_same_key_gives_the_same_images_in_an_episode():
    images = RNG.randint(0, 256, (6, 4, 8, 8, 3)).astype(np.uint8)
    transform = Transforms((RandomCrop(2), RandomFlip(), ColourJitter()))
    plain = qs.Episodes(images, ways=3, shots=1, queries=2)
    tasks = qs.Episodes(images, ways=3, shots=1, queries=2, transform=transform)
    one, same, untouched = tasks.sample(KEY), tasks.sample(KEY), plain.sample(KEY)
    for part in ("support", "query"):
        x, again, before = (getattr(task, part).x for task in (one, same, untouched))
        np.testing.assert_array_equal(x, again)
        assert ((x != before).any((1, 2, 3))).all()
        assert 0 <= x.min() < x.max() <= 1
    np.testing.assert_array_equal(one.query.y, untouched.query.y)
