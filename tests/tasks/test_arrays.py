"""`.npz` files of labelled images: what is read and what is refused."""

import pickle
import re

import numpy as np
import pytest

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.arrays import array_episodes, image_arrays
from quickstudy.tasks.splits import join_classes

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
    plain = save(tmp_path / "a.npz", images=marked(labels), labels=labels)
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
    "floats": ({"images": IMAGES * 1.5, "labels": [0, 0, 1, 1]}, r"float64 in 0 \.\.\. 4\.5"),
    "negative": ({"images": IMAGES - 1.0, "labels": [0, 0, 1, 1]}, r"in -1 \.\.\. 2, outside 0"),
    "whole": ({"images": IMAGES.astype(int), "labels": [0, 0, 1, 1]}, "int64 .*range is not known"),
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
    "counts beside labels": (
        {"images": IMAGES, "labels": [0, 0, 1, 1], "counts": [1, 1]},
        "holds counts beside labels, .*; leave counts out",
    ),
    "counts beside labels of features": (
        {"features": np.zeros((2, 3)), "labels": [0, 1], "counts": [1, 1]},
        "holds counts beside labels",
    ),
    "images and features": (
        {"images": IMAGES, "features": np.zeros((4, 3)), "labels": [0, 0, 1, 1]},
        "both images and features; leave one of them out",
    ),
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


def test_levels_become_bytes_by_one_rule(tmp_path):
    """0 ... 65,535 whatever the brightest, floats from 0 to 1, and others in a stated range."""
    ramp, labels = np.arange(4).reshape(4, 1, 1), [0, 0, 1, 1]
    cases = [
        ((ramp * 257).astype(np.uint16), None, [0, 1, 2, 3]),
        (ramp / 255, None, [0, 1, 2, 3]),
        (ramp * 10, (0, 30), [0, 85, 170, 255]),
    ]
    for images, levels, wanted in cases:
        path = save(tmp_path / "a.npz", images=images, labels=labels)
        assert image_arrays(path, levels=levels).images.ravel().tolist() == wanted


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
    with pytest.raises(
        BadInput, match="3-way episodes need at least 3 classes; the split test has 2"
    ):
        array_episodes(path, "test", ratios=(0.6, 0.2, 0.2), ways=3, shots=1, queries=3)
    with pytest.raises(BadInput, match="class 'a' has 4"):
        array_episodes(path, "train", ratios=(10, 0, 0), ways=3, shots=1, queries=4)


def test_splits_that_share_a_class_are_not_joined(tmp_path):
    data = image_arrays(save(tmp_path / "a.npz", images=IMAGES, labels=[0, 0, 1, 1]))
    with pytest.raises(DataError, match="'1' is in two splits"):
        join_classes([data, data.select([1])])
    joined = join_classes([data.select([1]), data.select([0])])
    assert joined.names == ("1", "0")
    assert np.array_equal(joined.images, data.images[::-1])


def test_features_by_label(tmp_path):
    """Two classes of unequal sizes, in any order; numbers stay as they are."""
    x = np.arange(6, dtype=np.float64).reshape(3, 2) - 2.5
    np.savez(tmp_path / "features.npz", features=x, labels=["b", "a", "b"])
    data = image_arrays(tmp_path / "features.npz")
    assert (data.names, data.counts.tolist()) == (("a", "b"), [1, 2])
    np.testing.assert_array_equal(data.images[1], x[[0, 2]])
    np.testing.assert_array_equal(data.images[0], [x[1], [0, 0]])
    assert data.images.dtype == np.float32


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (np.zeros((3, 2, 2)), r"features \(3, 2, 2\)"),
        (np.full((3, 2), np.nan), "all of them finite"),
        (np.full((3, 2), -1e300), r"up to 1e\+300, whose squares are not finite"),
        (np.zeros((3, 2), int), "int64 features"),
    ],
)
def test_features_that_are_none(features, said, tmp_path):
    np.savez(tmp_path / "features.npz", features=features, labels=["b", "a", "b"])
    with pytest.raises(DataError, match=said):
        image_arrays(tmp_path / "features.npz")


def test_what_nothing_reads_is_said(tmp_path, caplog):
    labels = np.array(["dog", "cat"])
    image_arrays(save(tmp_path / "a.npz", images=marked(labels), labels=labels))
    assert not caplog.records
    extra = {"split": np.arange(2), "ids": np.arange(2)}
    image_arrays(save(tmp_path / "b.npz", images=marked(labels), labels=labels, **extra))
    (record,) = caplog.records
    assert "b.npz holds ids, split, which nothing reads" in record.getMessage()
