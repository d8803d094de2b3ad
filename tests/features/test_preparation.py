import os

import numpy as np
import pytest
from PIL import Image

from quickstudy.errors import BadInput, DataError
from quickstudy.features.preparation import Preparation

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def halves(h, w):
    """Red on the left, blue on the right."""
    image = np.zeros((h, w, 3), np.uint8)
    image[:, : w // 2], image[:, w // 2 :] = RED, BLUE
    return image


def test_an_image_of_the_right_size_is_left_alone():
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    for fit in ("pad", "crop", "stretch"):
        np.testing.assert_array_equal(Preparation((6, 8), fit)(image), image)


def test_grey_becomes_three_equal_channels():
    grey = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
    for image in (grey, grey[..., None]):
        np.testing.assert_array_equal(Preparation((6, 8))(image), np.stack([grey] * 3, -1))


def test_crop_cuts_both_sides_and_pad_keeps_them():
    image = halves(8, 32)
    image[:, :8] = image[:, -8:] = WHITE
    cropped, padded, stretched = (
        Preparation((8, 8), fit)(image) for fit in ("crop", "pad", "stretch")
    )
    assert cropped[4, 0].tolist() == list(RED)
    assert cropped[4, -1].tolist() == list(BLUE)
    assert padded[4, 0].tolist() == list(WHITE)
    assert padded[:3].min() == 255, "above the strip that the image has become"
    assert padded[4, 3, 0] > 150 > padded[4, 3, 2]
    assert stretched[0, 0].tolist() == list(WHITE)


def test_pad_fills_up_with_the_border_s_colour():
    image = np.full((4, 16, 3), (10, 20, 30), np.uint8)
    assert np.unique(Preparation((16, 16), "pad")(image).reshape(-1, 3), axis=0).tolist() == [
        [10, 20, 30]
    ]


def test_what_is_transparent_becomes_white(tmp_path):
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[:4] = (255, 0, 0, 255)
    Image.fromarray(clear).save(tmp_path / "a.png")
    found = Preparation((8, 8))(tmp_path / "a.png")
    assert found[0, 0].tolist() == list(RED)
    assert found[-1, 0].tolist() == list(WHITE)


def test_a_phone_s_picture_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    Image.fromarray(halves(32, 32)).save(tmp_path / "a.png", exif=exif)
    found = Preparation((32, 32))(tmp_path / "a.png")
    assert found[0, 0].tolist() == list(RED)
    assert found[0, -1].tolist() == list(RED)
    assert found[-1, 0].tolist() == list(BLUE)


def test_large_jpegs_are_read_smaller_and_look_the_same(tmp_path):
    y, x = np.mgrid[:900, :1200]
    smooth = np.stack([x * 255 // 1200, y * 255 // 900, (x + y) % 256 * 0], -1).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    from_file = Preparation((60, 80))(tmp_path / "a.jpg").astype(int)
    assert np.abs(from_file - Preparation((60, 80))(smooth)).max() <= 6


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4), np.uint16),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_other_arrays_are_refused(image):
    with pytest.raises(BadInput, match="give uint8"):
        Preparation((4, 4))(image)


def test_files_that_are_no_images_are_refused_by_name(tmp_path):
    (tmp_path / "notes.jpg").write_text("hello")
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("notes.jpg", "missing.jpg", "pipe.jpg"):
        with pytest.raises(DataError, match=name):
            Preparation((4, 4))(tmp_path / name)


def test_impossible_settings_are_refused():
    with pytest.raises(BadInput, match="give pad, crop or stretch"):
        Preparation((4, 4), "fill").check()
    with pytest.raises(BadInput, match="width is 0"):
        Preparation((4, 0)).check()
