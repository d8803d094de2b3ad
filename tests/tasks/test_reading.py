"""One convention for all images, whoever gives them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.errors import BadInput
from quickstudy.tasks.reading import as_images, as_inputs, demand_readable, to_bytes, to_unit

GREY = np.random.default_rng(0).integers(0, 256, (3, 6, 5), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (3, 6, 5, 3), np.uint8)


@pytest.mark.parametrize("top", [20, 255, 300, 65535])
def test_depth_decides_and_never_the_brightest(top):
    deep = np.full((1, 8, 8), top, np.uint16)
    assert float(as_images(deep).max()) == pytest.approx(top / 65535)
    assert float(as_inputs(jnp.asarray(deep)).max()) == pytest.approx(top / 65535)
    shallow = np.full((1, 8, 8), min(top, 255), np.uint8)
    assert float(as_images(shallow).max()) == pytest.approx(min(top, 255) / 255)


REFUSED = {
    "int64": (GREY.astype(int), "int64.*range is not known"),
    "int32": (GREY.astype(np.int32), "int32.*range is not known"),
    "floats to 255": (GREY * 1.0, r"float64 in .*, outside 0 \.\.\. 1"),
    "below 0": (GREY / 255 - 0.5, "outside 0"),
    "not a number": (np.full((2, 4, 4), np.nan), "are not finite; leave these images out"),
    "infinite": (np.full((2, 4, 4), np.inf), "are not finite; leave these images out"),
    "channels first": (np.moveaxis(COLOUR, -1, 1), r"channels first.*np\.moveaxis\(images, -3, -1"),
    "five axes": (COLOUR[None], r"give one, \[h, w\]"),
    "five channels": (np.zeros((2, 9, 9, 5), np.uint8), r"1 to 4 channels"),
    "strings": (np.array([["a"]]), "give numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_refused(name):
    x, message = REFUSED[name]
    with pytest.raises(BadInput, match=message):
        as_images(x)


def test_a_stated_range_is_mapped():
    x = np.array([[-1.0, 0.0, 1.0]])
    assert as_images(x, levels=(-1, 1)).ravel().tolist() == [0, 0.5, 1]
    assert as_images(np.array([[0, 1023]]), levels=(0, 1023)).ravel().tolist() == [0, 1]
    with pytest.raises(BadInput, match="a brighter one"):
        as_images(x, levels=(1, 1))
    with pytest.raises(BadInput, match=r"-1 \.\.\. 1, outside 0 \.\.\. 1"):
        as_images(x, levels=(0, 1))


def test_one_image_and_many():
    assert as_images(GREY[0]).shape == (1, 6, 5, 1)
    assert as_images(GREY).shape == (3, 6, 5, 1)
    assert as_images(COLOUR[0]).shape == (1, 6, 5, 3)
    assert as_images(COLOUR).shape == (3, 6, 5, 3)
    np.testing.assert_array_equal(as_images(COLOUR)[:1], as_images(COLOUR[0]))
    np.testing.assert_array_equal(as_images(GREY), as_images(GREY / np.float32(255)))


def test_colour_and_grey_are_converted_where_asked():
    grey = as_images(COLOUR, channels=1)
    wanted = (COLOUR / 255) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(grey[..., 0], wanted, atol=1e-6)
    both = as_images(GREY, channels=3)
    assert both.shape == (3, 6, 5, 3)
    np.testing.assert_array_equal(both[..., 2], as_images(GREY)[..., 0])
    with pytest.raises(BadInput, match="channels is 2"):
        as_images(GREY, channels=2)


def test_what_is_transparent_shows_the_background():
    clear = np.zeros((1, 4, 4, 4), np.uint8)
    assert as_images(clear).min() == 1
    assert as_images(clear, background=0.0).max() == 0
    clear[..., 3], clear[..., 0] = 51, 255
    np.testing.assert_allclose(as_images(clear)[0, 0, 0], [1, 0.8, 0.8], rtol=1e-6)
    assert as_images(np.zeros((1, 4, 4, 2), np.uint8)).shape == (1, 4, 4, 1)


def test_bytes_are_kept_and_others_rounded():
    assert to_bytes(GREY) is GREY
    np.testing.assert_array_equal(to_bytes(to_unit(GREY)), GREY)
    assert to_bytes(np.array([0, 32768, 65535], np.uint16)).tolist() == [0, 128, 255]
    assert to_bytes(np.array([[True, False]])).tolist() == [[255, 0]]
    assert qs.ImageClasses.of({"a": GREY / 255}).images[0].tolist() == GREY.tolist()


def test_features_pass_in_any_range():
    for features in (np.full((2, 5), 300.0), np.full((2, 4, 4, 64), -7.0), np.ones((2, 5), int)):
        demand_readable(features)
    with pytest.raises(BadInput, match="outside 0"):
        demand_readable(np.full((2, 4, 4, 3), 200.0))
    with pytest.raises(BadInput, match="range is not known"):
        demand_readable(np.full((2, 4, 4), 200))


def test_compiled_and_eager_are_read_alike():
    np.testing.assert_allclose(jax.jit(as_inputs)(GREY), as_images(GREY), rtol=1e-6)
    assert jax.jit(as_inputs)(GREY * 1.0).shape == GREY.shape
