"""Image folders with splits, CIFAR-FS and miniImageNet, in small imitations of their layouts."""

import pickle
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import quickstudy.tasks.cifar_fs as cifar
import quickstudy.tasks.mini_imagenet as mini
from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.folders import folder_episodes
from quickstudy.tasks.pictures import read_image

SPLITS = {"train": ["c0", "c3", "c2"], "val": ["c1"], "test": ["c5", "c4"]}
LONG = {"train": "train", "val": "validation", "test": "test"}
ITEMS = 3


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Benchmarks of 3, 1 and 2 classes of three images."""
    for module in (cifar, mini):
        sizes = {LONG[split]: len(classes) for split, classes in SPLITS.items()}
        monkeypatch.setattr(module, "CLASSES", sizes)
        monkeypatch.setattr(module, "ITEMS", ITEMS)


def colour(name, item):
    """The red of a class and the green of an item."""
    return (40 * int(name[1:]), 80 * item, 7)


def picture(path, name, item, size=(32, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour(name, item)).save(path)


def check_colours(data, names):
    assert data.names == tuple(names)
    for row, name in zip(data.images, names, strict=True):
        assert [tuple(image[0, 0].tolist()) for image in row] == [
            colour(name, item) for item in range(ITEMS)
        ]


def resize_to(module, monkeypatch, size):
    monkeypatch.setattr(module, "SIZE", size)


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


def test_stretching_leaves_no_ground(tmp_path):
    picture(tmp_path / "a.png", "c6", 1, size=(40, 10))
    padded = read_image(tmp_path / "a.png", size=(20, 20), channels=3)
    stretched = read_image(tmp_path / "a.png", size=(20, 20), channels=3, fit="stretch")
    assert not padded[0].any()
    assert (stretched == colour("c6", 1)).all()


@pytest.fixture(params=["", "cifar100"])
def cifar_folders(request, tmp_path):
    for names in SPLITS.values():
        for name in names:
            for item in range(ITEMS):
                picture(tmp_path / request.param / "data" / name / f"{item}.png", name, item)
    lists = tmp_path / request.param / "splits" / "bertinetto"
    lists.mkdir(parents=True)
    for split, names in SPLITS.items():
        (lists / f"{split}.txt").write_text("\n".join(names) + "\n")
    return tmp_path


def test_cifar_fs_from_folders(cifar_folders):
    for split, names in SPLITS.items():
        data = cifar.cifar_fs_classes(cifar_folders, LONG[split])
        assert data.images.shape[2:] == (32, 32, 3)
        check_colours(data, names)
    both = cifar.cifar_fs_classes(cifar_folders, "train+validation")
    check_colours(both, SPLITS["train"] + SPLITS["val"])
    tasks = cifar.cifar_fs(cifar_folders, "test", ways=2, shots=1, queries=2)
    assert (tasks.ways, tasks.images.shape) == (2, (2, 3, 32, 32, 3))
    with pytest.raises(BadInput, match="There is no split 'all'"):
        cifar.cifar_fs(cifar_folders, "all", ways=2, shots=1, queries=2)


def test_an_incomplete_cifar_fs_is_refused(cifar_folders):
    root = cifar_folders / "cifar100" if (cifar_folders / "cifar100").is_dir() else cifar_folders
    (root / "data" / "c0" / "1.png").unlink()
    with pytest.raises(DataError, match="2 images of 'c0' instead of 3"):
        cifar.cifar_fs_classes(cifar_folders, "train")
    (root / "splits" / "bertinetto" / "val.txt").unlink()
    with pytest.raises(DataError, match=r"val\.txt is missing or empty"):
        cifar.cifar_fs_classes(cifar_folders, "validation")
    (root / "splits" / "bertinetto" / "val.txt").write_text("c1\nc7\n")
    with pytest.raises(DataError, match="has no folder 'c7'"):
        cifar.cifar_fs_classes(cifar_folders, "validation")
    (root / "splits" / "bertinetto" / "test.txt").write_text("c5\n")
    (root / "splits" / "bertinetto" / "val.txt").write_text("c1\n")
    with pytest.raises(DataError, match="1 classes instead of 2"):
        cifar.cifar_fs_classes(cifar_folders, "test")


def test_a_link_out_of_cifar_fs_is_not_followed(cifar_folders, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "1.png"
    picture(outside, "c0", 1)
    [inner] = cifar_folders.rglob("c0/1.png")
    inner.unlink()
    inner.symlink_to(outside)
    with pytest.raises(DataError, match=r"c0/1\.png leads out of"):
        cifar.cifar_fs_classes(cifar_folders, "train")


@pytest.fixture
def mini_folder(tmp_path):
    for split, names in SPLITS.items():
        rows = ["filename,label"]
        for item in range(ITEMS):
            for name in names:
                picture(tmp_path / "images" / f"{name}-{item}.png", name, item, (50, 90))
                rows.append(f"{name}-{item}.png,{name}")
        (tmp_path / f"{split}.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_mini_imagenet_from_tables(mini_folder):
    for split, names in SPLITS.items():
        data = mini.mini_imagenet_classes(mini_folder, LONG[split])
        assert data.images.shape == (len(names), ITEMS, 84, 84, 3)
        check_colours(data, names)
        assert (data.images == data.images[:, :, :1, :1]).all(), "images must fill the square"
    check_colours(
        mini.mini_imagenet_classes(mini_folder, "train+validation"), SPLITS["train"] + SPLITS["val"]
    )
    tasks = mini.mini_imagenet(mini_folder, "train", ways=3, shots=1, queries=2)
    assert (tasks.ways, tasks.images.shape) == (3, (3, 3, 84, 84, 3))


@pytest.mark.parametrize("path", ["../secret.png", "/secret.png", "a/../../secret.png", "link.png"])
def test_a_table_cannot_name_files_outside_the_folder(mini_folder, path):
    picture(mini_folder / "secret.png", "c5", 0)
    (mini_folder / "images" / "link.png").symlink_to(mini_folder / "secret.png")
    if path == "/secret.png":
        path = str(mini_folder / "secret.png")
    table = mini_folder / "test.csv"
    table.write_text(table.read_text().replace("c5-0.png", path))
    with pytest.raises(DataError, match=r"(secret|link)\.png leads out of"):
        mini.mini_imagenet_classes(mini_folder, "test")


MISTAKES = {
    "image missing": (("c5-0.png", "c5-9.png"), r"c5-9\.png is damaged or not an image"),
    "header": (("filename,label", "file,class"), "first line must be filename,label"),
    "values": (("c5-0.png,c5", "c5-0.png"), "row 1 has 1 values"),
    "no label": (("c5-0.png,c5", "c5-0.png,"), "without a filename and a label"),
    "twice": (("c5-0.png", "c5-1.png"), r"c5-1\.png twice"),
    "moved": (("c5-0.png,c5", "c5-0.png,c4"), "images of 'c4' instead of 3|of 'c5' instead"),
    "quotes": (("c5-0.png", '"c5-0.png'), "is not a CSV file|values"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_in_a_table_are_named(mini_folder, name):
    (old, new), message = MISTAKES[name]
    table = mini_folder / "test.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        mini.mini_imagenet_classes(mini_folder, "test")


def pixels(names):
    rows = [[np.full((4, 4, 3), colour(n, i), np.uint8) for i in range(ITEMS)] for n in names]
    return np.array(rows).reshape(-1, 4, 4, 3)


PICKLES = {
    "CIFAR_FS_test.pickle": (
        cifar.cifar_fs_classes,
        lambda names: {"data": pixels(names), "labels": [n for n in names for _ in range(ITEMS)]},
    ),
    "miniImageNet_category_split_test.pickle": (
        mini.mini_imagenet_classes,
        lambda names: {"data": pixels(names), "labels": [n for n in names for _ in range(ITEMS)]},
    ),
    "mini-imagenet-cache-test.pkl": (
        mini.mini_imagenet_classes,
        lambda names: {
            "image_data": pixels(names),
            "class_dict": {n: range(i * ITEMS, i * ITEMS + ITEMS) for i, n in enumerate(names)},
        },
    ),
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_are_refused_and_the_docs_convert_them(tmp_path, name, monkeypatch):
    load, contents = PICKLES[name]
    resize_to(cifar, monkeypatch, (4, 4))
    resize_to(mini, monkeypatch, (4, 4))
    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("unpickled"))
    monkeypatch.setattr(pickle, "loads", lambda *_, **__: pytest.fail("unpickled"))
    (tmp_path / name).write_bytes(pickle.dumps(contents(SPLITS["test"])))
    with pytest.raises(DataError, match=rf"{re.escape(name)} is a pickle.*docs/own-data\.md"):
        load(tmp_path, "test")
    docs = Path(__file__).parents[2] / "docs" / "own-data.md"
    lines = re.findall(r"^python -c .*$", docs.read_text(), re.MULTILINE)
    [line] = [line for line in lines if ("class_dict" in line) == name.endswith(".pkl")]
    program = shlex.split(line)[2]
    target = (tmp_path / name).with_suffix(".npz")
    subprocess.run([sys.executable, "-c", program, tmp_path / name, target], check=True, timeout=30)
    check_colours(load(tmp_path, "test"), sorted(SPLITS["test"]))
    resize_to(cifar, monkeypatch, (32, 32))
    resize_to(mini, monkeypatch, (84, 84))
    with pytest.raises(DataError, match=r"shape \(4, 4, 3\) instead of"):
        load(tmp_path, "test")


@pytest.mark.parametrize(
    ("split", "name"),
    [
        ("train", "miniImageNet_category_split_train_phase_train"),
        ("validation", "miniImageNet_category_split_val"),
        ("test", "miniImageNet_category_split_test"),
    ],
)
def test_meta_opt_net_s_files_are_found(tmp_path, split, name, monkeypatch):
    """Classes are numbers there, and go on from split to split."""
    resize_to(mini, monkeypatch, (4, 4))
    names = next(SPLITS[short] for short, long in LONG.items() if long == split)
    labels = np.repeat([int(name[1:]) + 64 for name in names], ITEMS)
    np.savez(tmp_path / f"{name}.npz", images=pixels(names), labels=labels)
    data = mini.mini_imagenet_classes(tmp_path, split)
    assert data.names == tuple(str(label) for label in sorted(set(labels)))
    assert data.images[0, 1, 0, 0].tolist() == list(colour(sorted(names)[0], 1))


@pytest.mark.parametrize("load", [cifar.cifar_fs_classes, mini.mini_imagenet_classes])
def test_a_folder_of_no_layout_is_refused(tmp_path, load):
    with pytest.raises(DataError, match=r"has neither .*\.npz") as caught:
        load(tmp_path, "validation")
    assert str(tmp_path) in str(caught.value)
