"""`.npz` files of labelled images, and the splits of classes: what is read and what is refused."""

import json
import pickle
import re

import numpy as np
import pytest

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.arrays import array_episodes, image_arrays
from quickstudy.tasks.splits import class_splits, join_classes, read_splits, split_names

NAMES = tuple("abcdefghij")


def marked(labels, channels=3):
    """4×4 images whose pixels are their number."""
    shape = (len(labels), 4, 4, *([channels] if channels else []))
    return np.broadcast_to(
        np.arange(len(labels), dtype=np.uint8).reshape(-1, *[1] * (len(shape) - 1)), shape
    )


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("channels", [0, 1, 3])
def test_images_are_sorted_by_label(tmp_path, channels):
    labels = np.array(["dog", "cat", "dog", "emu", "cat", "dog"])
    path = save(tmp_path / "a.npz", images=marked(labels, channels), labels=labels)
    data = image_arrays(path)
    assert data.names == ("cat", "dog", "emu")
    assert data.counts.tolist() == [2, 3, 1]
    assert data.images.dtype == np.uint8
    assert data.images.shape == (3, 3, 4, 4, *([channels] if channels else []))
    first = data.images.reshape(3, 3, -1)[..., 0]
    assert first.tolist() == [[1, 4, 0], [0, 2, 5], [3, 0, 0]]


def test_numbered_labels_take_names(tmp_path):
    labels = np.array([7, 2, 7, 2])
    plain = save(tmp_path / "a.npz", images=marked(labels).astype(np.int64), labels=labels)
    assert image_arrays(plain).names == ("2", "7")
    named = save(tmp_path / "b.npz", images=marked(labels), labels=labels, names=list("abcdefgh"))
    assert image_arrays(named).names == ("c", "h")
    few = save(tmp_path / "c.npz", images=marked(labels), labels=labels, names=["a", "b"])
    with pytest.raises(DataError, match=r"whole numbers in 0 \.\.\. 1"):
        image_arrays(few)


def test_images_may_be_by_class_already(tmp_path):
    images = marked(range(6)).reshape(2, 3, 4, 4, 3)
    data = image_arrays(save(tmp_path / "a.npz", images=images))
    assert np.array_equal(data.images, images)
    assert (data.names, data.counts.tolist()) == (("0", "1"), [3, 3])
    data = image_arrays(
        save(tmp_path / "b.npz", images=images[..., 0], names=["x", "y"], counts=[3, 1])
    )
    assert (data.names, data.counts.tolist()) == (("x", "y"), [3, 1])
    assert data.images.shape == (2, 3, 4, 4)


IMAGES = marked(range(4))
WRONG = {
    "nothing": ({"pictures": IMAGES}, "no array named images"),
    "floats": ({"images": IMAGES / 255, "labels": [0, 0, 1, 1]}, "float64 images"),
    "negative": ({"images": IMAGES.astype(int) - 1, "labels": [0, 0, 1, 1]}, "int64 images"),
    "too large": ({"images": IMAGES.astype(int) + 300, "labels": [0, 0, 1, 1]}, "int64 images"),
    "lengths": ({"images": IMAGES, "labels": [0, 0, 1]}, re.escape("labels (3,)")),
    "no labels": ({"images": IMAGES[:, 0]}, "no labels"),
    "labels forgotten": ({"images": IMAGES}, r"no labels; add labels \[n\]"),
    "empty": ({"images": IMAGES[:0], "labels": np.zeros(0, int)}, "not empty"),
    "real labels": ({"images": IMAGES, "labels": [0.0, 0, 1, 1]}, "float64 labels"),
    "channels first": (
        {"images": np.zeros((4, 3, 8, 8), np.uint8), "labels": [0, 0, 1, 1]},
        "channels first",
    ),
    "channels first, by class": (
        {"images": np.zeros((2, 4, 3, 8, 8), np.uint8)},
        "channels first",
    ),
    "names": ({"images": IMAGES[None], "names": ["a", "b"]}, "names of the shape"),
    "counts": ({"images": IMAGES[None], "counts": [5]}, r"whole numbers in 0 \.\.\. 4"),
    "one name twice": (
        {"images": IMAGES, "labels": [0, 0, 1, 1], "names": ["a", "a"]},
        "two classes one name, 'a'",
    ),
    # Divided by name, such a class would be in two splits.
    "one name twice, by class": (
        {"images": np.stack([IMAGES] * 3), "names": ["b", "a", "b"]},
        "two classes one name, 'b'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_arrays_of_other_forms_are_refused(tmp_path, case):
    arrays, message = WRONG[case]
    with pytest.raises(DataError, match=message) as caught:
        image_arrays(save(tmp_path / "data.npz", **arrays))
    assert "data.npz" in str(caught.value)


def trap(path):
    """What, unpickled, makes the file `path`."""

    class Trap:
        def __reduce__(self):
            return path.touch, ()

    return Trap()


def test_nothing_is_unpickled(tmp_path):
    sprung = tmp_path / "sprung"
    pickle.loads(pickle.dumps(trap(sprung)))
    assert sprung.exists(), "the trap must work"
    sprung.unlink()
    objects = np.array([trap(sprung)], object)
    np.savez(tmp_path / "objects.npz", images=IMAGES, labels=objects)
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(objects))
    for name in ("objects", "pickle"):
        with pytest.raises(DataError, match=rf"{name}\.npz is damaged or"):
            image_arrays(tmp_path / f"{name}.npz")
    assert not sprung.exists()


def test_damaged_and_missing_files_are_named(tmp_path):
    whole = save(tmp_path / "a.npz", images=IMAGES, labels=[0, 0, 1, 1]).read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut\.npz is damaged"):
            image_arrays(tmp_path / "cut.npz")
    flipped = bytearray(whole)
    flipped[200] ^= 255  # Among the pixels: only the checksum tells.
    (tmp_path / "flipped.npz").write_bytes(flipped)
    with pytest.raises(DataError, match=r"flipped\.npz is damaged"):
        image_arrays(tmp_path / "flipped.npz")
    with pytest.raises(DataError, match=r"There is no file .*none\.npz"):
        image_arrays(tmp_path / "none.npz")


def test_episodes_of_a_split_stay_in_its_classes(tmp_path):
    labels = np.repeat(np.array(NAMES), 4)
    images = np.repeat(np.arange(10, dtype=np.uint8), 4).reshape(-1, 1, 1) * np.ones(
        (40, 4, 4), np.uint8
    )
    path = save(tmp_path / "a.npz", images=images, labels=labels)
    seen = {}
    for split, ways in (("train", 6), ("validation", 2), ("test", 2)):
        tasks = array_episodes(
            path, split, ratios=(0.6, 0.2, 0.2), seed=3, ways=ways, shots=1, queries=3
        )
        assert (tasks.ways, tasks.queries, len(tasks.images)) == (ways, 3, ways)
        seen[split] = set(np.unique(tasks.images).tolist())
        assert {NAMES.index(name) for name in tasks.names} == seen[split]
    assert sorted(c for classes in seen.values() for c in classes) == list(range(10))
    with pytest.raises(BadInput, match="3-way episodes need at least 3 classes; there are 2"):
        array_episodes(path, "test", ratios=(0.6, 0.2, 0.2), ways=3, shots=1, queries=3)
    with pytest.raises(BadInput, match="class 'a' has 4"):
        array_episodes(path, "train", ratios=(10, 0, 0), ways=3, shots=1, queries=4)


def test_division_by_ratio_is_seeded_and_ignores_the_order_of_names():
    parts = class_splits(NAMES, ratios=(0.6, 0.2, 0.2), seed=1)
    assert parts == class_splits(NAMES[::-1], ratios=(0.6, 0.2, 0.2), seed=1)
    assert parts != class_splits(NAMES, ratios=(0.6, 0.2, 0.2), seed=2)
    assert [len(p) for p in parts.values()] == [6, 2, 2]
    assert sorted(n for part in parts.values() for n in part) == list(NAMES)
    assert [len(p) for p in class_splits(NAMES, ratios=(4, 3, 2)).values()] == [4, 3, 2]
    with pytest.raises(BadInput, match=r"an empty part, validation: .* Give more classes"):
        class_splits(NAMES[:3])
    with pytest.raises(BadInput, match="give three"):
        class_splits(NAMES, ratios=(0.8, 0.2))
    with pytest.raises(BadInput, match="give three of at least 0"):
        class_splits(NAMES, ratios=(0.8, float("nan"), 0.2))
    with pytest.raises(BadInput, match=r"need 11 classes; there are 10\. Ask for fewer"):
        class_splits(NAMES, ratios=(9, 1, 1))


FORMS = {
    "a.json": json.dumps({"train": ["c", "a"], "val": ["b"], "test": ["d e"]}),
    "a.csv": "class,split\nc,train\nb,val\na,train\n'd e',test\n".replace("'", '"'),
    "a.txt": "\ufeff# mine\ntrain:\nc\na # why\n\nval:\n b\ntest:\nd e\n",
    "a.cfg": "[train]\nc\na\n[Valid]\nb\n[test]\nd e",
}


@pytest.mark.parametrize("name", FORMS)
def test_split_files_of_every_form_say_the_same(tmp_path, name):
    (tmp_path / name).write_text(FORMS[name], encoding="utf-8")
    expected = {"train": ("c", "a"), "validation": ("b",), "test": ("d e",)}
    assert read_splits(tmp_path / name) == expected
    names = ["a", "b", "c", "d e", "in no split"]
    assert class_splits(names, split_file=tmp_path / name) == expected


def test_a_folder_of_lists_is_a_split_file(tmp_path):
    for split, text in (("train", "b\na\n"), ("val", "c\n"), ("test", "d\n")):
        (tmp_path / f"{split}.txt").write_text(text)
    splits = read_splits(tmp_path)
    assert splits == {"train": ("b", "a"), "validation": ("c",), "test": ("d",)}
    assert split_names(splits, "train+val") == ("b", "a", "c")
    for wrong in ("all", "train+train", "", "train,test"):
        with pytest.raises(BadInput, match="There is no split"):
            split_names(splits, wrong)
    with pytest.raises(BadInput, match="'test' has no classes"):
        split_names({"train": ("a",)}, "test")


WRONG_SPLITS = {
    "twice.json": ('{"train": ["a", "b"], "test": ["b"]}', "'b' twice, in train and in test"),
    "other.json": ('{"base": ["a"]}', "split 'base', which is unknown"),
    "shape.json": ('["a", "b"]', "not an object of lists"),
    "numbers.json": ('{"train": [1, 2]}', "not an object of lists"),
    "broken.json": ('{"train": [', "is not JSON"),
    "columns.csv": ("name,part\na,train\n", "columns \\['name', 'part'\\]"),
    "ragged.csv": ("class,split\na\n", "row 1 has 1 values"),
    "headless.txt": ("a\nb\n", "begins with 'a', which stands under no split"),
    "empty.txt": ("train:\n", "names no class"),
    "unknown.txt": ("train:\na\n../../etc\n", r"1 classes that are not there, such as '\.\./"),
}


@pytest.mark.parametrize("name", WRONG_SPLITS)
def test_wrong_split_files_are_refused(tmp_path, name):
    text, message = WRONG_SPLITS[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        class_splits(NAMES, split_file=tmp_path / name)
    assert name in str(caught.value)


def test_a_split_file_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(DataError, match=r"There is no file .*none\.txt"):
        read_splits(tmp_path / "none.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(DataError, match=r"bytes\.txt is not a text file"):
        read_splits(tmp_path / "bytes.txt")


def test_splits_that_share_a_class_are_not_joined(tmp_path):
    data = image_arrays(save(tmp_path / "a.npz", images=IMAGES, labels=[0, 0, 1, 1]))
    with pytest.raises(DataError, match="'1' is in two splits"):
        join_classes([data, data.select([1])])
    joined = join_classes([data.select([1]), data.select([0])])
    assert joined.names == ("1", "0")
    assert np.array_equal(joined.images, data.images[::-1])
