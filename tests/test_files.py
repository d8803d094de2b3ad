"""A file is replaced whole or not at all, and the cache is where one says."""

import os
import stat

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.estimators.pictures import pictures
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.maml import MAMLConfig
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.experiments.recipe import Recipe
from quickstudy.features.preparation import Preparation
from quickstudy.files import cache_folder, replacing
from quickstudy.runs import Run
from quickstudy.tasks.arrays import image_arrays
from quickstudy.tasks.folders import image_files
from quickstudy.tasks.split_files import read_splits
from references.own_code import folder_of_classes


@pytest.fixture
def target(tmp_path):
    file = tmp_path / "folder" / "file"
    file.parent.mkdir()
    file.write_bytes(b"old")
    return file


def test_the_new_file_is_there_when_the_block_ends(target):
    with replacing(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["file"]


def test_an_error_leaves_the_old_file_and_nothing_else(target):
    def broken():
        with replacing(target) as file:
            file.write(b"half")
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        broken()
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["file"]


def test_folders_are_made(tmp_path):
    with replacing(tmp_path / "a" / "b" / "c") as file:
        file.write(b"new")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"new"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_permissions_are_those_of_any_new_file(target, mask):
    before = os.umask(mask)
    try:
        with replacing(target) as file:
            file.write(b"new")
        assert os.umask(mask) == mask, "the mask was read and left as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def test_the_cache_can_be_chosen_and_has_a_place_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    for nothing in ("", None):
        monkeypatch.setenv("QUICKSTUDY_CACHE", nothing or "")
        assert cache_folder().name == "quickstudy"


def test_paths_from_home_are_read_and_written(tmp_path, monkeypatch):
    """Which only a shell writes out, and behind a = not even that."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder_of_classes(tmp_path / "home" / "birds", classes=3, images=2)
    assert len(qs.image_folder("~/birds").names) == len(find_problem("~/birds").names()) == 3
    assert len(image_files("~/birds/class00")) == 2
    assert len(pictures("~/birds", labelled=True).items) == 6
    assert image_files("~/birds/class00/0.png") == [tmp_path / "home/birds/class00/0.png"]
    assert Preparation((4, 4))("~/birds/class00/0.png").shape == (4, 4, 3)
    file = tmp_path / "home" / "birds.npz"
    np.savez(file, images=np.zeros((3, 2, 4, 4), np.uint8))
    assert len(image_arrays("~/birds.npz").names) == len(find_problem("~/birds.npz").names())
    np.save(tmp_path / "home" / "birds.npy", np.zeros((3, 2, 4, 4), np.uint8))
    assert qs.HostImages.open("~/birds.npy").shape == (3, 2, 4, 4)
    (tmp_path / "home" / "splits.csv").write_text("class,split\na,test\n")
    assert read_splits("~/splits.csv") == {"test": ("a",)}
    Run.create("~/runs/first", {"recipe": "first"})
    assert Run.open("~/runs/first").folder == tmp_path / "home" / "runs" / "first"
    recipe = Recipe(SinusoidCurves(), MAMLConfig(), Budget(steps=2)).prepared()
    qs.export(recipe.learner(), "~/learner.safetensors", recipe)
    assert type(qs.load("~/learner.safetensors")).__name__ == "MAML"
    given = qs.FewShotClassifier().fit([[0.0], [1.0]], ["a", "b"])
    given.save("~/made/given.qs")
    assert qs.FewShotClassifier.load("~/made/given.qs").classes_.tolist() == ["a", "b"]
    monkeypatch.setenv("QUICKSTUDY_CACHE", "~/cache")
    assert cache_folder() == tmp_path / "home" / "cache"
    assert [one.name for one in tmp_path.iterdir()] == ["home"], "nothing is called ~"
