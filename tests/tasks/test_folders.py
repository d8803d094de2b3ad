"""The user's image folders: what comes out, and what is said about what cannot."""

import os

import numpy as np
import pytest
from PIL import Image

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.folders import (
    class_files,
    folder_episodes,
    image_files,
    image_folder,
    query_images,
)


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


def test_links_to_folders_are_followed_as_those_of_classes_are(pets):
    (pets / "puppy").symlink_to(pets / "dog")
    named = [file.relative_to(pets).as_posix() for file in image_files(pets)]
    assert named == ["cat/0.png", "cat/1.png", "cat/2.png", "dog/a.png", "puppy/a.png"]
    assert sorted(file for own in class_files(pets).values() for file in own) == image_files(pets)


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


def said(caplog):
    return [record.getMessage() for record in caplog.records]


def test_images_that_no_memory_holds_are_refused(pets):
    said = r"2 classes of up to 3 images of 9999999×9999999 .* GiB.* smaller size"
    with pytest.raises(BadInput, match=said):
        image_folder(pets, size=(9_999_999, 9_999_999))


def test_what_is_no_image_is_passed_over_and_counted(pets, caplog):
    """In one line for all: what systems leave behind, notes, and what lies beside the classes."""
    for name in ("Thumbs.db", "desktop.ini", "notes.txt", "._a.png"):
        (pets / "cat" / name).write_bytes(b"no image")
    for folder in ("__MACOSX", "cat/@eaDir", "dog/__MACOSX"):
        (pets / folder).mkdir()
        (pets / folder / "0.png").write_bytes(b"no image")
    (pets / "splits.csv").write_text("class,split\n")
    os.mkfifo(pets / "cat" / "pipe")
    assert image_folder(pets).counts.tolist() == [3, 1]
    [line] = said(caplog)
    assert f"{pets}: passed over 10 that are no images here (" in line
    caplog.clear()
    assert len(query_images(pets)[0]) == 4
    [line] = said(caplog)
    assert "passed over 10" in line


@pytest.mark.parametrize("name", ["a.heic", "b.AVIF", "c.NEF", "d.svg", "e.mp4"])
def test_images_of_other_formats_are_named(pets, name):
    (pets / "cat" / name).write_bytes(b"\0\0\0\x18ftypheic")
    for read in (image_folder, query_images):
        with pytest.raises(DataError, match=rf"{name} is \w+, which is not read.*PNG, JPEG"):
            read(pets)


def test_a_pipe_is_never_opened(pets):
    os.mkfifo(pets / "dog" / "b.png")
    for read, path in ((image_folder, pets), (query_images, pets / "dog" / "b.png")):
        with pytest.raises(DataError, match=r"b\.png is no regular file"):
            read(path)


def test_names_are_in_one_form_of_unicode(pets):
    stroke(pets / "cafe\u0301" / "a.png")
    assert image_folder(pets).names == ("caf\u00e9", "cat", "dog")
    stroke(pets / "caf\u00e9" / "b.png")
    if len(list(pets.iterdir())) == 3:
        pytest.skip("this file system composes names itself")
    with pytest.raises(DataError, match="two folders named 'caf\u00e9', written in two forms"):
        image_folder(pets)


def test_animations_are_counted(pets, caplog):
    frames = [Image.new("L", (9, 9), grey) for grey in (255, 0)]
    frames[0].save(pets / "dog" / "z.gif", save_all=True, append_images=frames[1:])
    image = image_folder(pets, ink="light").images[1, 1]
    assert (image > 250).all(), "the first frame"
    assert "1 images are animated; the first frame of each is used" in said(caplog)


def test_damaged_images_are_named(pets):
    whole = stroke(pets / "dog" / "cut.png", size=(200, 200)).read_bytes()
    (pets / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    for read in (image_folder, query_images):
        with pytest.raises(DataError, match=r"cut\.png is damaged"):
            read(pets)


@pytest.fixture
def birds(tmp_path):
    """Ten classes of photos of many sizes and modes."""
    for c in range(10):
        for item, mode in enumerate(("RGB", "L", "RGBA", "P", "CMYK")):
            path = tmp_path / f"c{c}" / f"{item}.{'jpg' if mode == 'CMYK' else 'png'}"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (20 + 9 * c, 30), (20 * c,) * 3).convert(mode).save(path)
    return tmp_path


def test_a_folder_is_divided_by_class(birds):
    seen = []
    for split, ways in (("train", 6), ("validation", 2), ("test", 2)):
        tasks = folder_episodes(
            birds, split, size=(16, 12), ratios=(6, 2, 2), ways=ways, shots=1, queries=4
        )
        seen += tasks.names
        assert tasks.images.shape == (ways, 5, 16, 12, 3)
        middle = np.asarray(tasks.images[:, :, 8, 6, 0]) / 20
        for greys, name in zip(np.rint(middle), tasks.names, strict=True):
            assert (greys == int(name[1:])).all()
    assert sorted(seen) == [f"c{c}" for c in range(10)]
    grey = folder_episodes(birds, "test", size=(8, 8), channels=1, ways=2, shots=1, queries=1)
    assert grey.images.shape == (3, 5, 8, 8), "10 classes: 6, 1, and the last takes the rest"


def test_a_split_file_divides_and_only_its_images_are_read(birds, tmp_path):
    (birds / "splits.csv").write_text("class,split\nc7,train\nc2,train\nc1,val\nc0,test\n")
    tasks = folder_episodes(
        birds, "train", split_file=birds / "splits.csv", ways=2, shots=1, queries=4
    )
    assert tasks.names == ("c7", "c2")
    (birds / "c2" / "zero.png").touch()
    with pytest.raises(DataError, match=r"zero\.png is damaged or not an image"):
        folder_episodes(birds, "train", split_file=birds / "splits.csv", ways=2, shots=1, queries=1)


def test_too_few_classes_and_items_are_named(birds):
    with pytest.raises(
        BadInput, match="7-way episodes need at least 7 classes; the split train has 6"
    ):
        folder_episodes(birds, "train", ways=7, shots=1, queries=1)
    (birds / "c3" / "0.png").unlink()
    with pytest.raises(BadInput, match="class 'c3' has 4"):
        folder_episodes(birds, "train", ratios=(10, 0, 0), ways=2, shots=1, queries=4)
    with pytest.raises(BadInput, match="size is"):
        folder_episodes(birds, "train", size=(0, 8), ways=2, shots=1, queries=1)
    with pytest.raises(BadInput, match="There is no split 'dev'"):
        folder_episodes(birds, "dev", ways=2, shots=1, queries=1)
