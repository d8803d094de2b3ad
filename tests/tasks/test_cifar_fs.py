"""CIFAR-FS, in small imitations of its layouts."""

import pytest

import quickstudy.tasks.cifar_fs as cifar
from quickstudy.errors import BadInput, DataError
from references.small_benchmarks import (
    ITEMS,
    LONG,
    SPLITS,
    check_colours,
    demand_a_layout,
    demand_refused_and_converted,
    labelled,
    picture,
    shrink,
)


@pytest.fixture(autouse=True)
def small_cifar(monkeypatch):
    shrink(cifar, monkeypatch)


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


def test_pickles_are_refused_and_the_docs_convert_them(tmp_path, monkeypatch):
    name = "CIFAR_FS_test.pickle"
    load = cifar.cifar_fs_classes
    demand_refused_and_converted(cifar, load, labelled, name, tmp_path, monkeypatch)


def test_a_folder_of_no_layout_is_refused(tmp_path):
    demand_a_layout(cifar.cifar_fs_classes, tmp_path)
