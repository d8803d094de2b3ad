"""Emoji as a problem: four drawings a class, sizes, and packages of another version."""

import json
from dataclasses import replace

import pytest

from quickstudy.app.cli import main
from quickstudy.errors import BadInput, DataError
from quickstudy.experiments.networks import EfficientNetLite0Config
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.problems.emoji import DRAWINGS, LARGEST, EmojiImages
from quickstudy.experiments.problems.encoded import as_encoded
from quickstudy.experiments.problems.glyphs import GlyphImages
from quickstudy.experiments.problems.omniglot import OmniglotImages
from quickstudy.experiments.problems.yours import FolderImages
from quickstudy.experiments.recipe import from_json
from quickstudy.experiments.recipes import RECIPES
from quickstudy.tasks.emoji import ARTISTS, DRAWN, count_emoji
from references.icon_packages import icon_packages
from references.refusing import demand_refused

TINY = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2 --filters 2"
TINY += " --size 12 --train-ways 5"


@pytest.fixture(scope="module", autouse=True)
def packages(tmp_path_factory):
    """The folder of small packages, which QUICKSTUDY_DATA names."""
    with pytest.MonkeyPatch.context() as patch:
        folder = icon_packages(tmp_path_factory.mktemp("packages"))
        patch.setenv("QUICKSTUDY_DATA", str(folder))
        patch.setenv("QUICKSTUDY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield folder


@pytest.mark.parametrize(("shots", "queries"), [(1, 3), (2, 2), (3, 1)])
def test_queries_are_what_the_shots_leave(shots, queries):
    assert (len(ARTISTS), DRAWN) == (DRAWINGS, LARGEST)
    problem = replace(find_problem("emoji"), shots=shots, size=12)
    tasks = problem.tasks("test", Source())
    assert (tasks.ways, tasks.shots, tasks.queries) == (5, shots, queries)
    assert tasks.images.shape[1:] == (4, *problem.inputs) == (4, 12, 12, 3)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--shots 4", "4 shots + --queries 1 need more than the four drawings"),
        ("--shots 2 --queries 3", "2 shots + --queries 3 need more than the four drawings"),
        ("--size 225", "--size is 225; emoji are drawn at 224×224: give 1 to 224"),
        ("--data {empty}", "npm pack @iconify-json/fluent-emoji-flat"),
    ],
)
def test_what_cannot_be_fails_before_the_run(flags, said, tmp_path, monkeypatch, capsys):
    (empty := tmp_path / "empty").mkdir()
    (runs := tmp_path / "runs").mkdir()
    monkeypatch.chdir(runs)
    asked = flags.format(empty=empty).split()
    demand_refused(["train", "prototypical", "--on", "emoji", *asked], said, runs, capsys)


def test_a_test_of_too_many_examples_is_refused():
    problem = replace(EmojiImages(size=12), shots=3).changed({"queries": 2})
    with pytest.raises(BadInput, match="3 shots"):
        problem.tasks("test", Source())


def test_a_run_keeps_the_number_of_training_classes(packages, tmp_path):
    recipe = RECIPES["prototypical-emoji"]
    assert recipe.problem.training_classes is None
    ready = recipe.prepared(Source(str(packages)))
    found = count_emoji("train", packages)
    assert ready.problem.training_classes == found
    again = from_json(json.loads(json.dumps(ready.to_json())))
    assert again == ready
    assert again.problem.episodes("train", Source(), 5).classes == found
    fewer = Source(str(icon_packages(tmp_path / "fewer", 50)))
    assert again.problem.prepared(fewer) == again.problem
    with pytest.raises(BadInput, match=f"began with {found}; give packages of the same versions"):
        again.problem.episodes("train", fewer, 5)
    assert again.problem.episodes("test", fewer, 5).classes == count_emoji("test", fewer.folder)


def test_learners_of_other_images_are_tested_in_their_size():
    photos = FolderImages(shape_of_one=(40, 40, 3), shots=2, ways=7)
    problem = EmojiImages().tested_as(photos)
    assert (problem.ways, problem.shots, problem.queries, problem.pixels) == (7, 2, 0, 40)
    assert problem.enlarged(224).pixels == 224
    assert problem.reads() == photos.reads()
    assert EmojiImages().tested_as(replace(photos, queries=2)).queries == 2


def test_a_pretrained_network_reads_large_images_where_nobody_asks_for_a_size(packages):
    network = EfficientNetLite0Config(width=4)
    assert EmojiImages().inputs == (32, 32, 3)
    of = as_encoded(EmojiImages(), network).of
    assert of.inputs == (224, 224, 3)
    assert of.tasks("test", Source()).images.shape[1:] == (4, 224, 224, 3)
    assert as_encoded(EmojiImages(size=12), network).of.inputs == (12, 12, 3)


def test_another_problem_takes_its_own_queries_where_the_run_left_them_open():
    assert GlyphImages().tested_as(EmojiImages()).queries == GlyphImages().queries
    assert GlyphImages().tested_as(OmniglotImages()).queries == GlyphImages().queries
    assert OmniglotImages(queries=7).tested_as(GlyphImages(queries=2)).queries == 2


def test_missing_packages_are_told_when_there_is_no_folder(monkeypatch):
    monkeypatch.delenv("QUICKSTUDY_DATA")
    with pytest.raises(DataError, match="npm pack @iconify-json/noto"):
        EmojiImages().prepared(Source())


def test_train_and_evaluate(packages, tmp_path, capsys):
    run = str(tmp_path / "run")
    asked = ["--on", "emoji", "--data", str(packages), "--no-test", "--run", run]
    main(["train", "prototypical", *asked, *TINY.split()])
    main(["evaluate", run, "--shots", "2", "--episodes", "4", "--data", str(packages)])
    assert "emoji, 5-way 2-shot" in capsys.readouterr().out
    found = json.loads((tmp_path / "run" / "evaluation-test-2-shot-4-episodes.json").read_text())
    assert found["data"] == "emoji, 5-way 2-shot"
