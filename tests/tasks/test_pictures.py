"""One image file: brightness, formats, sizes, and what is said about what cannot be read."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks import pictures
from quickstudy.tasks.pictures import flat, read_image, unlike_training
from references.small_benchmarks import colour, picture


def stroke(path, size=(40, 40), mode="L", paper=255, ink=0):
    """A vertical stroke in the middle; size is (width, height)."""
    grey = np.full(size[::-1], paper, np.uint8)
    grey[size[1] // 4 : -size[1] // 4, size[0] // 2 - 2 : size[0] // 2 + 2] = ink
    Image.fromarray(grey).convert(mode).save(path)
    return path


def saved(path, array, **how):
    Image.fromarray(array).save(path, **how)
    return path


def test_ink_is_light_whatever_the_paper(tmp_path):
    dark_on_light = stroke(tmp_path / "a.png")
    light_on_dark = stroke(tmp_path / "b.png", paper=0, ink=255)
    one, other = read_image(dark_on_light), read_image(light_on_dark)
    assert np.abs(one.astype(int) - other).max() <= 1
    assert one[14, 14] > 200
    assert one[0, 0] == 0
    assert read_image(dark_on_light, ink="light")[0, 0] == 255
    assert read_image(light_on_dark, ink="dark")[0, 0] == 255
    assert read_image(dark_on_light, channels=3)[0, 0].tolist() == [255] * 3


def test_proportions_stay_and_the_rest_is_ground(tmp_path):
    image = read_image(stroke(tmp_path / "a.png", size=(80, 20), paper=255, ink=255), ink="light")
    assert (image[10:17] > 200).all()
    assert not image[:10].any()
    assert not image[18:].any()


def test_transparent_and_sixteen_bit_images_are_read(tmp_path):
    clear = np.zeros((30, 30, 4), np.uint8)
    clear[10:20, 10:20, 3] = 255
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert read_image(tmp_path / "clear.png")[14, 14] > 250
    assert read_image(tmp_path / "clear.png")[1, 1] == 0
    deep = np.full((30, 30), 65535, np.uint16)
    deep[:, 15:] = 32768
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert abs(int(read_image(tmp_path / "deep.png", ink="light")[14, 25]) - 128) <= 1


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_level_that_is_transparent_is_paper(tmp_path, kind, channels):
    """Of 16 bits that level alone, and not its neighbours that have the same 8 bits."""
    top = np.iinfo(kind).max
    levels = np.full((20, 20), top // 2, kind)
    levels[:, 10:] = 100
    if kind == np.uint16:
        levels[10:, 10:] = 101
    Image.fromarray(levels).save(tmp_path / "a.png", transparency=100)
    look = {"size": (20, 20), "channels": channels, "ink": "light"}
    found = read_image(tmp_path / "a.png", **look)
    assert (found[:10, 10:] == 255).all()
    assert (found[:, :10] < 130).all()
    assert (found[10:, 10:] == (0 if kind == np.uint16 else 255)).all()
    np.testing.assert_array_equal(flat(Image.open(tmp_path / "a.png"))[..., 0], found.reshape(
        20, 20, -1)[..., 0])  # fmt: skip


@pytest.mark.parametrize("top", [40, 250, 300, 65535])
def test_sixteen_bits_are_divided_by_65535_whatever_the_brightest(tmp_path, top):
    ramp = np.tile(np.linspace(0, top, 64).astype(np.uint16), (64, 1))
    for name in ("a.png", "a.tif"):
        file = saved(tmp_path / name, ramp)
        found = read_image(file, size=(64, 64), ink="light")
        np.testing.assert_array_equal(found, np.rint(ramp / 257).astype(np.uint8))
        again = read_image(file, size=(64, 64), ink="light", levels=(0, max(top, 1)))
        np.testing.assert_array_equal(found, again, "their range is never another")


def test_float_images_are_from_0_to_1_or_their_range_is_stated(tmp_path):
    unit = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    how = {"size": (64, 64), "ink": "light"}
    wanted = np.rint(unit * 255).astype(np.uint8)
    np.testing.assert_array_equal(read_image(saved(tmp_path / "a.tif", unit), **how), wanted)
    for top in (250, 300):
        file = saved(tmp_path / "b.tif", unit * top)
        with pytest.raises(DataError, match=rf"b\.tif are float32 in 0 \.\.\. {top}, outside 0"):
            read_image(file, **how)
        np.testing.assert_array_equal(read_image(file, levels=(0, top), **how), wanted)
    file = saved(tmp_path / "c.tif", (unit * 1000).astype(np.int32))
    with pytest.raises(DataError, match=r"c\.tif are int32 .*range is not known"):
        read_image(file, **how)
    assert np.abs(read_image(file, levels=(0, 1000), **how) - 1.0 * wanted).max() <= 1


@pytest.mark.parametrize("mode", ["CMYK", "P", "1", "LA", "RGBA", "YCbCr"])
def test_every_mode_is_read(tmp_path, mode):
    name = "a.jpg" if mode in ("CMYK", "YCbCr") else "a.png"
    Image.new("RGB", (9, 9), (255, 255, 255)).convert(mode).save(tmp_path / name)
    assert (read_image(tmp_path / name, channels=3, ink="light") > 250).all()


def test_images_stand_upright(tmp_path):
    """EXIF's orientation 6: the camera's right side is the top."""
    pixels = np.zeros((20, 20), np.uint8)
    pixels[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    image = read_image(saved(tmp_path / "a.png", pixels, exif=exif), size=(20, 20), ink="light")
    assert image[:, -1].min() == 255
    assert image[:, 0].max() == 0


def test_large_images_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    """A file of some bytes that would unfold to gigabytes."""
    buffer = io.BytesIO()
    Image.new("1", (8, 8)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    for width, height in ((30_000, 3_000), (60_000, 60_000)):
        data[16:24] = struct.pack(">II", width, height)
        chunk = bytes(data[12:29])
        data[29:33] = struct.pack(">I", zlib.crc32(chunk))
        (tmp_path / "bomb.png").write_bytes(data)
        with pytest.raises(DataError, match=r"bomb\.png has more than 89,000,000 pixels"):
            read_image(tmp_path / "bomb.png")
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1600)
    assert read_image(stroke(tmp_path / "fits.png", (40, 40))).shape == (28, 28)
    with pytest.raises(DataError, match="more than 1,600 pixels"):
        read_image(stroke(tmp_path / "over.png", (41, 40)))


def test_formats_outside_the_list_are_named_whatever_they_are_called(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    with pytest.raises(DataError, match=r"a\.jpg is damaged or not an image.*convert it to JPEG"):
        read_image(tmp_path / "a.jpg")
    Image.new("RGB", (9, 9)).save(tmp_path / "b.png", "TGA")
    with pytest.raises(DataError, match=r"b\.png is damaged or not an image"):
        read_image(tmp_path / "b.png")
    with pytest.raises(DataError, match=r"none\.png is damaged"):
        read_image(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("how", "message"),
    [({"channels": 2}, "channels is 2"), ({"size": (0, 8)}, "size is")],
)
def test_wrong_choices_are_refused(tmp_path, how, message):
    with pytest.raises(BadInput, match=message):
        read_image(stroke(tmp_path / "a.png"), **how)


def test_a_learner_of_characters_says_so_of_photographs(tmp_path):
    drawn = np.random.default_rng(0)
    photographs = [
        saved(tmp_path / f"p{i}.png", drawn.integers(0, 256, (50, 70, 3), np.uint8))
        for i in range(4)
    ]
    paper = np.full((60, 60, 3), (250, 248, 240), np.uint8)
    paper[20:40, 28:32] = (20, 40, 200)
    drawings = [saved(tmp_path / f"d{i}.png", paper) for i in range(4)]
    said = unlike_training(photographs, (28, 28, 1))
    assert "trained on grey images of 28×28" in said
    assert str(photographs[0]) in said
    assert unlike_training(drawings, (28, 28, 1)) is None
    assert unlike_training(photographs, (84, 84, 3)) is None
    assert unlike_training([], (28, 28, 1)) is None


def test_stretching_leaves_no_ground(tmp_path):
    picture(tmp_path / "a.png", "c6", 1, size=(40, 10))
    padded = read_image(tmp_path / "a.png", size=(20, 20), channels=3)
    stretched = read_image(tmp_path / "a.png", size=(20, 20), channels=3, fit="stretch")
    assert not padded[0].any()
    assert (stretched == colour("c6", 1)).all()
