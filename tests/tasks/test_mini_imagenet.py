"""miniImageNet, in small imitations of its layouts."""

import numpy as np
import pytest

import quickstudy.tasks.mini_imagenet as mini
from quickstudy.errors import DataError
from references.small_benchmarks import (
    ITEMS,
    LONG,
    SPLITS,
    by_place,
    check_colours,
    colour,
    demand_a_layout,
    demand_refused_and_converted,
    labelled,
    picture,
    pixels,
    shrink,
)


@pytest.fixture(autouse=True)
def small_mini(monkeypatch):
    shrink(mini, monkeypatch)


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


PICKLES = {
    "miniImageNet_category_split_test.pickle": labelled,
    "mini-imagenet-cache-test.pkl": by_place,
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_are_refused_and_the_docs_convert_them(tmp_path, name, monkeypatch):
    load = mini.mini_imagenet_classes
    demand_refused_and_converted(mini, load, PICKLES[name], name, tmp_path, monkeypatch)


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
    monkeypatch.setattr(mini, "SIZE", (4, 4))
    names = next(SPLITS[short] for short, long in LONG.items() if long == split)
    labels = np.repeat([int(name[1:]) + 64 for name in names], ITEMS)
    np.savez(tmp_path / f"{name}.npz", images=pixels(names), labels=labels)
    data = mini.mini_imagenet_classes(tmp_path, split)
    assert data.names == tuple(str(label) for label in sorted(set(labels)))
    assert data.images[0, 1, 0, 0].tolist() == list(colour(sorted(names)[0], 1))


def test_a_folder_of_no_layout_is_refused(tmp_path):
    demand_a_layout(mini.mini_imagenet_classes, tmp_path)
