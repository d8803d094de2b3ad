"""The user's image folders: what comes out, and what is said about what cannot."""

import numpy as np
import pytest
from PIL import Image

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.folders import class_files, image_folder, query_images, read_image


def stroke(path, size=(40, 40), mode="L", paper=255, ink=0):
    """A vertical stroke in the middle; size is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.full(size[::-1], paper, np.uint8)
    grey[size[1] // 4 : -size[1] // 4, size[0] // 2 - 2 : size[0] // 2 + 2] = ink
    Image.fromarray(grey).convert(mode).save(path)
    return path


@pytest.fixture
def pets(tmp_path):
    for i, (size, mode) in enumerate([((40, 40), "L"), ((91, 60), "RGB"), ((30, 50), "1")]):
        stroke(tmp_path / "cat" / f"{i}.png", size, mode)
    stroke(tmp_path / "dog" / "a.png", mode="P")
    (tmp_path / "dog" / ".DS_Store").write_bytes(b"hidden")
    return tmp_path


def test_classes_are_the_sub_folders(pets):
    data = image_folder(pets)
    assert data.names == ("cat", "dog")
    assert data.counts.tolist() == [3, 1]
    assert data.images.shape == (2, 3, 28, 28)
    assert [p.name for p in class_files(pets)["cat"]] == ["0.png", "1.png", "2.png"]
    assert image_folder(pets, size=(20, 16), channels=3).images.shape == (2, 3, 20, 16, 3)


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


def test_queries_are_found_with_and_without_sub_folders(pets):
    files, images = query_images(pets)
    assert [f.relative_to(pets).as_posix() for f in files] == [
        "cat/0.png",
        "cat/1.png",
        "cat/2.png",
        "dog/a.png",
    ]
    assert images.shape == (4, 28, 28)
    assert query_images(pets / "dog")[1].shape == (1, 28, 28)
    assert query_images(pets / "dog" / "a.png")[1].shape == (1, 28, 28)


def test_what_is_wrong_is_named(pets, tmp_path):
    (pets / "empty").mkdir()
    with pytest.raises(DataError, match="empty is empty"):
        image_folder(pets)
    with pytest.raises(DataError, match="empty is empty"):
        query_images(pets / "empty")
    with pytest.raises(DataError, match="has no sub-folders"):
        image_folder(pets / "cat")
    with pytest.raises(DataError, match="There is no folder"):
        image_folder(pets / "nowhere")
    (pets / "empty" / "inner").mkdir()
    with pytest.raises(
        DataError, match=r"inner is a folder inside the class 'empty'.*where empty is no class"
    ):
        image_folder(pets)


def test_files_that_are_no_images_are_named(pets):
    notes = pets / "dog" / "notes.txt"
    notes.write_text("no image")
    with pytest.raises(DataError, match=r"notes\.txt is damaged or not an image"):
        image_folder(pets)
    notes.unlink()
    whole = stroke(pets / "dog" / "cut.png", size=(200, 200)).read_bytes()
    (pets / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.png is damaged"):
        query_images(pets)


def test_wrong_choices_are_refused(pets):
    with pytest.raises(BadInput, match="channels is 2"):
        read_image(pets / "cat" / "0.png", channels=2)
