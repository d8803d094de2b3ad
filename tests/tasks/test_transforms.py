"""Rotations are exact; the warp agrees with a plain reference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from quickstudy import BadInput
from quickstudy.tasks.transforms import Warp, bilinear, quarter_turns

RNG = np.random.RandomState(0)
IMAGES = jnp.asarray(RNG.randint(0, 256, (6, 9, 9, 2)) / 255, jnp.float32)
LABELS = jnp.arange(6)


def test_quarter_turns_are_numpys():
    turns = jnp.array([0, 1, 2, 3, 1, 2])
    expected = [np.rot90(image, k) for image, k in zip(IMAGES, turns.tolist(), strict=True)]
    np.testing.assert_array_equal(quarter_turns(IMAGES, turns), expected)
    with pytest.raises(BadInput, match="square"):
        quarter_turns(IMAGES[:, :5], turns)


def test_bilinear_agrees_with_scipy():
    rows, columns = RNG.uniform(-2, 10, (2, 6, 7, 5)).astype(np.float32)
    got = bilinear(IMAGES, jnp.asarray(rows), jnp.asarray(columns))
    for i in range(6):
        for c in range(2):
            # scipy's "constant" mode cuts at the edge; zeros around it fade there, as ours do.
            framed = np.pad(np.asarray(IMAGES[i, :, :, c]), 3)
            expected = ndimage.map_coordinates(
                framed, [rows[i] + 3, columns[i] + 3], order=1, mode="constant"
            )
            np.testing.assert_allclose(got[i, ..., c], expected, atol=1e-5)


def test_a_warp_of_nothing_changes_nothing():
    still = Warp(rotation=0, shear=0, scale=0, shift=0, elastic=0)
    np.testing.assert_allclose(still(IMAGES, LABELS, key=jax.random.key(0)), IMAGES, atol=1e-6)


def test_a_warp_is_the_documented_map():
    warp, key, side = Warp(elastic=0), jax.random.key(5), 9
    got = warp(IMAGES, LABELS, key=key)
    draws = jax.random.uniform(jax.random.split(key)[0], (6, 6), minval=-1.0, maxval=1.0)
    centre = np.full(2, (side - 1) / 2)
    for i, (a, k, u1, u2, t1, t2) in enumerate(np.asarray(draws, float).T):
        angle, shear = warp.rotation * a, warp.shear * k
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = turn @ [[1, shear], [0, 1]] @ np.diag(np.exp(warp.scale * np.array([u1, u2])))
        offset = centre + side * warp.shift * np.array([t1, t2]) - matrix @ centre + 3
        framed = np.pad(np.asarray(IMAGES[i, :, :, 0]), 3)
        expected = ndimage.affine_transform(
            framed, matrix, offset, output_shape=(side, side), order=1
        )
        inside = expected != 0
        np.testing.assert_allclose(got[i, ..., 0][inside], expected[inside], atol=1e-4)


def test_every_image_has_its_own_warp_and_stays_in_range():
    same = jnp.broadcast_to(IMAGES[:1], IMAGES.shape)
    warped = np.asarray(Warp()(same, jnp.zeros(6, int), key=jax.random.key(0)))
    assert warped.min() >= 0
    assert warped.max() <= 1
    assert min(np.abs(warped[i] - warped[0]).max() for i in range(1, 6)) > 0.1
