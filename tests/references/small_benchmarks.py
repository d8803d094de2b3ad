"""Benchmarks of 3, 1 and 2 classes of three images each, in the layouts of the large ones."""

import pickle
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quickstudy.errors import DataError

SPLITS = {"train": ["c0", "c3", "c2"], "val": ["c1"], "test": ["c5", "c4"]}
LONG = {"train": "train", "val": "validation", "test": "test"}
ITEMS = 3


def shrink(module, monkeypatch):
    """Have the module expect benchmarks of this size."""
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


def pixels(names):
    rows = [[np.full((4, 4, 3), colour(n, i), np.uint8) for i in range(ITEMS)] for n in names]
    return np.array(rows).reshape(-1, 4, 4, 3)


def labelled(names):
    """As CIFAR-FS and MetaOptNet were published."""
    return {"data": pixels(names), "labels": [n for n in names for _ in range(ITEMS)]}


def by_place(names):
    """As miniImageNet was published first."""
    places = {n: range(i * ITEMS, i * ITEMS + ITEMS) for i, n in enumerate(names)}
    return {"image_data": pixels(names), "class_dict": places}


def demand_refused_and_converted(module, load, contents, name, folder, monkeypatch):
    """A pickle is never opened; the line in the docs makes the arrays of it that are read."""
    usual = module.SIZE
    monkeypatch.setattr(module, "SIZE", (4, 4))
    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("unpickled"))
    monkeypatch.setattr(pickle, "loads", lambda *_, **__: pytest.fail("unpickled"))
    (folder / name).write_bytes(pickle.dumps(contents(SPLITS["test"])))
    with pytest.raises(DataError, match=rf"{re.escape(name)} is a pickle.*docs/own-data\.md"):
        load(folder, "test")
    docs = Path(__file__).parents[2] / "docs" / "own-data.md"
    lines = re.findall(r"^python -c .*$", docs.read_text(), re.MULTILINE)
    [line] = [line for line in lines if ("class_dict" in line) == name.endswith(".pkl")]
    program = shlex.split(line)[2]
    target = (folder / name).with_suffix(".npz")
    subprocess.run([sys.executable, "-c", program, folder / name, target], check=True, timeout=30)
    check_colours(load(folder, "test"), sorted(SPLITS["test"]))
    monkeypatch.setattr(module, "SIZE", usual)
    with pytest.raises(DataError, match=r"shape \(4, 4, 3\) instead of"):
        load(folder, "test")


def demand_a_layout(load, folder):
    """A folder of no known layout is refused, and named."""
    with pytest.raises(DataError, match=r"has neither .*\.npz") as caught:
        load(folder, "validation")
    assert str(folder) in str(caught.value)
