"""A folder of images and an .npz file as problems: divided by class, kept, told, and tested on."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.problems.class_folder import class_files_in
from quickstudy.experiments.problems.glyphs import GlyphImages
from quickstudy.experiments.problems.yours import (
    FolderImages,
    NpzImages,
    _arrays,
)
from quickstudy.experiments.recipe import from_json
from references.own_code import folder_of_classes, npz_of_images
from references.refusing import demand_refused, stopped

SMALL = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2 --filters 2"
TINY = SMALL.split()
SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return folder_of_classes(tmp_path_factory.mktemp("photos") / "birds", classes=9)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    folder = folder_of_classes(tmp_path_factory.mktemp("photos") / "fish", 4, size=(9, 20))
    return folder_of_classes(folder.parent / "coloured", 4, colour=True).parent


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "birds"
    asked = ["--ways", "3", "--size", "12", "--train-ways", "3", "--no-test", "--run", str(folder)]
    main(["train", "prototypical", "--on", str(photos), *TINY, *asked])
    return folder


@pytest.fixture(scope="module")
def glyphs_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "glyphs"
    asked = ["--train-ways", "5", "--ways", "3", "--no-test", "--run", str(folder)]
    main(["train", "prototypical-glyphs", *TINY, *asked])
    return folder


def divided(problem, **settings):
    return replace(problem, **settings).prepared(Source())


def test_every_class_is_in_one_split_which_the_run_keeps_and_tells(run, photos, tmp_path, capsys):
    kept = json.loads((run / "recipe.json").read_text())
    splits = [kept["problem"][split] for split in SPLITS]
    names = sorted(folder.name for folder in photos.iterdir())
    assert sorted(name for split in splits for name in split) == names
    assert [len(split) for split in splits] == [3, 3, 3]
    assert kept["problem"]["path"] == str(photos)
    assert kept["problem"]["shape_of_one"] == [12, 12, 1]
    assert kept["recipe"] == "prototypical-birds"
    again = ["--ways", "3", "--size", "12", "--train-ways", "3", "--no-test"]
    main(
        ["train", "prototypical", "--on", str(photos), *TINY, *again, "--run", str(tmp_path / "a")]
    )
    told = capsys.readouterr().err
    for name, split in zip(("training", "validation", "test"), splits, strict=True):
        assert f"{name}: {', '.join(split)}" in told


def test_images_added_later_change_no_split(run, photos, tmp_path):
    """The run names its classes: a new one is in none of its splits."""
    recipe = from_json(json.loads((run / "recipe.json").read_text()))
    assert recipe.problem.prepared(Source()) == recipe.problem
    for split in SPLITS:
        tasks = recipe.problem.tasks(split, Source())
        assert tasks.classes == 3
        assert tasks.images.shape[-3:] in ((12, 12, 1), (8, 12, 12))


@pytest.mark.parametrize(("ways", "classes"), [(5, 9), (3, 8), (20, 9)])
def test_too_few_classes(ways, classes, tmp_path, monkeypatch, capsys):
    folder = folder_of_classes(tmp_path / "data" / "few", classes, images=2)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    command = ["train", "maml", "--on", str(folder), "--ways", str(ways), *TINY]
    said = f"{folder} has {classes} classes; {ways}-way training needs {3 * ways}"
    demand_refused(command, said, tmp_path / "here", capsys)
    assert f"quickstudy classify {folder} NEW_IMAGES/" in stopped(command, capsys)


def test_shares_numbers_and_files_divide(photos, tmp_path):
    problem = find_problem(str(photos))
    assert [len(getattr(divided(problem, ways=2), s)) for s in SPLITS] == [5, 2, 2]
    numbers = divided(problem, ways=2, ratios=(4, 2, 3))
    assert [len(getattr(numbers, s)) for s in SPLITS] == [4, 2, 3]
    assert numbers != divided(problem, ways=2, ratios=(4, 2, 3), split_seed=1)
    assert numbers == divided(problem, ways=2, ratios=(4, 2, 3), split_seed=0)
    file = tmp_path / "split.csv"
    rows = [f"class{n:02},{s}" for n, s in enumerate(["test"] * 2 + ["train"] * 4 + ["val"] * 2)]
    file.write_text("\n".join(["class,split", *rows]) + "\n")
    by_file = divided(problem, ways=2, split_file=file)
    assert by_file.test == ("class00", "class01")
    assert by_file.validation == ("class06", "class07")
    assert by_file.train == tuple(f"class{n:02}" for n in range(2, 6))
    with pytest.raises(qs.QuickstudyError, match="test"):
        divided(problem, ways=3, split_file=file)
    file.write_text("\n".join(["class,split", *rows[:6]]) + "\n")
    for how in ({"split_file": file}, {"ratios": (0.5, 0.0, 0.5)}, {"ratios": (6.0, 0.0, 3.0)}):
        with pytest.raises(qs.BadInput, match="is in validation; a run trains, validates and"):
            divided(problem, ways=2, **how)


def test_classes_that_are_in_no_split_are_kept_and_told(photos, tmp_path):
    """And still known as the run's own, where the folder was moved."""
    problem = find_problem(str(photos))
    assert len(divided(problem, ways=2).notes()) == 3
    kept = divided(problem, ways=2, ratios=(3.0, 2.0, 2.0))
    used = {*kept.train, *kept.validation, *kept.test}
    assert sorted(used | set(kept.left_out)) == sorted(problem.names())
    assert len(kept.left_out) == 2
    assert kept.notes()[3] == f"left out: {', '.join(kept.left_out)}"
    shutil.copytree(photos, tmp_path / "moved")
    assert find_problem(str(tmp_path / "moved")).tested_as(kept).test == kept.test


def test_an_npz_file_may_be_called_in_capitals(tmp_path):
    problem = find_problem(str(npz_of_images(tmp_path / "birds.npz").rename(tmp_path / "B.NPZ")))
    assert len(problem.names()) == 9


@pytest.mark.parametrize(("colour", "channels"), [("auto", 3), ("grey", 1), ("colour", 3)])
def test_colour_is_found_or_asked_for(colour, channels, others):
    problem = find_problem(str(others / "coloured"))
    assert divided(problem, ways=1, size=10, colour=colour).inputs == (10, 10, channels)
    assert divided(find_problem(str(others / "fish")), ways=1).inputs == (84, 84, 1)


def test_a_colour_is_found_in_whichever_image_has_one(tmp_path):
    folder = folder_of_classes(tmp_path / "late", 3, images=5)
    red = Image.new("RGB", (12, 12), (200, 0, 0))
    assert divided(find_problem(str(folder)), ways=1).inputs[2] == 1
    red.save(folder / "class01" / "zz.png")
    class_files_in.cache_clear()
    assert divided(find_problem(str(folder)), ways=1).inputs[2] == 3


@pytest.mark.parametrize("fault", ["damaged", "too few"])
def test_classes_of_tests_are_read_before_a_training(fault, tmp_path, monkeypatch, capsys):
    folder, work = tmp_path / "birds", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    folder_of_classes(folder, 6)
    test = divided(find_problem(str(folder)), ways=2).test[0]
    files = sorted((folder / test).iterdir())
    if fault == "damaged":
        files[-1].write_bytes(b"junk")
    for file in files[3:] if fault == "too few" else []:
        file.unlink()
    said = {"damaged": "is damaged or not an image", "too few": f"class '{test}' has 3"}[fault]
    asked = ["train", "prototypical", "--on", str(folder), *TINY, "--ways", "2", "--size", "12"]
    class_files_in.cache_clear()
    demand_refused(asked, said, work, capsys)


def test_a_run_that_goes_on_with_other_images_says_so(tmp_path, capsys):
    folder = folder_of_classes(tmp_path / "birds", 9)
    asked = ["--ways", "3", "--size", "12", "--train-ways", "3", "--no-test"]
    run = tmp_path / "run"
    main(["train", "prototypical", "--on", str(folder), *TINY, *asked, "--run", str(run)])
    longer = ["train", "--resume", str(run), "--no-test", "--steps"]
    capsys.readouterr()
    main([*longer, "3"])
    assert "these are not the data" not in capsys.readouterr().err
    train = json.loads((run / "recipe.json").read_text())["problem"]["train"][0]
    shutil.copy(folder / train / "0.png", folder / train / "more.png")
    class_files_in.cache_clear()
    main([*longer, "4"])
    assert "(3 training classes)" in (said := capsys.readouterr().err)
    assert "these are not the data that the run began with" in said


def test_evaluate_tests_the_folder_and_never_glyphs(glyphs_run, photos, capsys):
    """All of its classes, at the size of the learner's images."""
    main(["evaluate", str(glyphs_run), "--on", str(photos), "--episodes", "4", "--no-curves"])
    out = " ".join(capsys.readouterr().out.split())
    name = f"{photos} (9 test classes), 3-way 1-shot"
    found = json.loads((glyphs_run / "evaluation-test-4-episodes-on-birds.json").read_text())
    assert found["data"] == name
    assert photos.name in out
    assert "glyphs, 3-way" not in out
    main(["evaluate", str(glyphs_run), "--episodes", "3", "--no-curves"])
    main(["report", str(glyphs_run), "--episodes", "2"])
    assert name in (glyphs_run / "report.html").read_text()


def test_the_folder_is_what_is_read(glyphs_run, photos, monkeypatch):
    """Without glyphs there is still an answer, and without the folder's images there is none."""

    def refuse(self, *_):
        raise AssertionError("glyphs were drawn")

    monkeypatch.setattr(GlyphImages, "episodes", refuse)
    asked = ["evaluate", str(glyphs_run), "--episodes", "4", "--no-curves"]
    main([*asked, "--on", str(photos)])
    with pytest.raises(AssertionError, match="glyphs were drawn"):
        main(asked)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--data FOLDER", "give it as the problem: --on FOLDER"),
        ("--on sinusoid", "has inputs of size 1 with numbers as targets"),
        ("--on nowhere/", "there is no problem 'nowhere/', nor a folder of that name"),
        ("--on bandit", "has observations of .* and actions .* was trained on images of 28×28×1"),
        ("--on FOLDER --ways 12", "12"),
        ("--on FOLDER --split train", "no class of .* is in the split train; give --split test"),
    ],
)
def test_what_cannot_be_tested(flags, said, glyphs_run, photos, capsys):
    before = sorted(glyphs_run.iterdir())
    text = stopped(
        ["evaluate", str(glyphs_run), *flags.replace("FOLDER", str(photos)).split()], capsys
    )
    assert re.search(said, text), text
    assert sorted(glyphs_run.iterdir()) == before


def test_a_run_on_a_folder_is_tested_on_its_own_test_classes_and_on_others(run, others, capsys):
    main(["evaluate", str(run), "--episodes", "3", "--no-curves"])
    own = json.loads((run / "evaluation-test-3-episodes.json").read_text())["data"]
    assert own.endswith("birds (3 test classes), 3-way 1-shot")
    main(["evaluate", str(run), "--episodes", "3", "--no-curves", "--on", str(others / "fish")])
    other = json.loads((run / "evaluation-test-3-episodes-on-fish.json").read_text())["data"]
    assert other.endswith("fish (4 test classes), 3-way 1-shot")
    said = stopped(["evaluate", str(run), "--on", "glyphs"], capsys)
    assert "images of 28×28×1" in said
    assert "images of 12×12×1" in said


@pytest.mark.parametrize(
    ("trained", "ink"),
    [
        (FolderImages(shape_of_one=(28, 28, 1), ink="light"), "light"),
        (FolderImages(shape_of_one=(28, 28, 1), ink="dark"), "dark"),
        (FolderImages(shape_of_one=(28, 28, 3), ink="dark"), "dark"),
        (NpzImages(shape_of_one=(28, 28, 1)), "light"),
        (GlyphImages(), "auto"),
    ],
)
def test_other_images_are_read_in_the_ink_of_the_run(trained, ink, others):
    found = find_problem(str(others / "fish")).tested_as(trained)
    assert found.ink == ink
    assert found.inputs == trained.inputs
    assert found.changed({"ink": "auto"}).ink == "auto"


def test_a_folder_that_was_moved_is_tested_on_the_same_classes(run, photos, tmp_path):
    """And not on those of training."""
    shutil.copytree(photos, tmp_path / "moved")
    main(["evaluate", str(run), "--episodes", "2", "--no-curves", "--on", str(tmp_path / "moved")])
    found = json.loads((run / "evaluation-test-2-episodes-on-moved.json").read_text())["data"]
    assert found.endswith("moved (3 test classes), 3-way 1-shot")


@pytest.mark.parametrize("kind", ["folder", "npz"])
def test_data_that_were_moved_are_named_with_the_way_to_them(kind, tmp_path, capsys):
    own, run = tmp_path / f"own.{kind}", tmp_path / "run"
    folder_of_classes(own, classes=9) if kind == "folder" else npz_of_images(own)
    small = [*TINY, "--ways", "2", "--no-test", "--run", str(run)]
    main(["train", "prototypical", "--on", str(own), *small])
    own.rename(tmp_path / f"moved.{kind}")
    _arrays.cache_clear()
    class_files_in.cache_clear()
    said = stopped(["evaluate", str(run), "--episodes", "2"], capsys)
    assert f"there is no {own}, which held the data of this run; name where they are now" in said
    assert f"quickstudy evaluate {run} --on PATH" in said
    moved = ["--on", str(tmp_path / f"moved.{kind}")]
    main(["evaluate", str(run), *moved, "--episodes", "2", "--no-curves"])
    said = stopped(["train", "--resume", str(run)], capsys)
    assert f"there is no {own}, which held the data of this run" in said
    assert "move them back, or put a link there" in said
    own.symlink_to(tmp_path / f"moved.{kind}")
    main(["train", "--resume", str(run), "--no-test"])


def test_data_of_the_same_name_are_told_apart(run, others, tmp_path):
    """Two folders called fish keep their own results, as often as each is tested."""
    shutil.copytree(others / "fish", tmp_path / "fish")
    for folder in (others, tmp_path, others, tmp_path):
        asked = ["--episodes", "4", "--no-curves", "--on", str(folder / "fish")]
        main(["evaluate", str(run), *asked])
    found = [json.loads(f.read_text())["data"] for f in run.glob("*test-4-episodes-on-fish*.json")]
    assert len(found) == 2
    assert len(set(found)) == 2


def test_other_contents_are_other_tasks(tmp_path):
    """A file that was written anew, with the same labels, and a folder with another image."""
    file, folder = npz_of_images(tmp_path / "cells.npz", shape=(8, 8, 3)), tmp_path / "birds"
    for name in "abc":
        (folder / name).mkdir(parents=True)
        Image.new("L", (8, 8)).save(folder / name / "1.png")

    def tasks(path):
        _arrays.cache_clear()
        class_files_in.cache_clear()
        return replace(find_problem(str(path)), ways=1).prepared(Source()).test_tasks("test")

    before = [tasks(file), tasks(folder)]
    assert [tasks(file), tasks(folder)] == before
    images = np.load(file)["images"]
    np.savez(file, images=255 - images)
    for name in "abc":
        Image.new("L", (64, 64), 255).save(folder / name / "2.png")
    for path, old in zip((file, folder), before, strict=True):
        new = tasks(path)
        assert new["on"] == old["on"]
        assert new["settings"].pop("contents") != old["settings"].pop("contents")
        assert new["settings"] == old["settings"]


def test_an_npz_file_is_a_problem_too(tmp_path, capsys):
    file = npz_of_images(tmp_path / "cells.npz", shape=(8, 8, 3))
    run = tmp_path / "run"
    small = [*TINY, "--ways", "3", "--no-test", "--run", str(run)]
    main(["train", "ridge", "--on", str(file), *small])
    kept = json.loads((run / "recipe.json").read_text())
    assert kept["problem"]["shape_of_one"] == [8, 8, 3]
    assert kept["recipe"] == "ridge-cells"
    main(["evaluate", str(run), "--episodes", "3", "--no-curves"])
    found = json.loads((run / "evaluation-test-3-episodes.json").read_text())
    assert found["data"] == f"{file} (3 test classes), 3-way 1-shot"
    capsys.readouterr()
    data = find_problem(str(file)).prepared
    with pytest.raises(qs.BadInput, match="has 9 classes; 5-way training needs 15"):
        data(Source())
    assert Path(kept["problem"]["path"]) == file
    assert np.load(file)["images"].shape == (9, 8, 8, 8, 3)
