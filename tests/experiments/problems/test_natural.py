"""Augmentation as a setting of natural images: of training tasks alone, and of no others."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.app.flags import flags_of
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems import PROBLEMS, find_problem
from quickstudy.experiments.problems.benchmarks import MiniImageNetImages
from quickstudy.experiments.problems.emoji import EmojiImages
from quickstudy.experiments.problems.natural import (
    AugmentConfig,
    CropFlipConfig,
    CropFlipJitterConfig,
    FlipConfig,
    NaturalImages,
    NoAugmentConfig,
)
from quickstudy.experiments.recipe import from_json
from references.own_code import folder_of_classes, npz_of_images
from references.recipes import tasks, typed
from references.refusing import demand_refused

KEY = jax.random.key(0)
NAMES = {"none", "flip", "crop-flip", "crop-flip-jitter"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return folder_of_classes(tmp_path_factory.mktemp("photos") / "birds", classes=9, colour=True)


def parts(config, inputs):
    return [type(one).__name__ for one in config.transforms(inputs)]


def test_choices():
    assert set(AugmentConfig.choices()) == NAMES
    assert parts(NoAugmentConfig(), (32, 32, 3)) == []
    assert parts(FlipConfig(), (32, 32, 3)) == ["RandomFlip"]
    assert parts(CropFlipConfig(), (32, 32, 3)) == ["RandomCrop", "RandomFlip"]
    crop, _, colours = CropFlipJitterConfig(jitter=0.2).transforms((84, 84, 3))
    assert (crop.padding, crop.border) == (8, "reflect")
    assert (colours.brightness, colours.contrast, colours.saturation) == (0.2, 0.2, 0.2)
    assert CropFlipConfig().transforms((32, 32, 3))[0].padding == 4
    assert CropFlipConfig(padding=2).transforms((32, 32, 3))[0].padding == 2


def test_natural_images_take_it_and_characters_do_not():
    taking = {kind.name for kind in PROBLEMS if issubclass(kind, NaturalImages)}
    assert taking == {"folder", "npz", "emoji", "cifar-fs", "mini-imagenet"}
    assert MiniImageNetImages().augment == EmojiImages().augment == NoAugmentConfig()
    flags = [f.spelled for f in flags_of(MiniImageNetImages(augment=CropFlipJitterConfig()))]
    assert {"augment", "padding", "jitter"} <= set(flags)
    assert not {"padding", "jitter"} & {f.spelled for f in flags_of(MiniImageNetImages())}


@pytest.mark.parametrize("problem", ["glyphs", "omniglot"])
def test_characters_refuse_it_by_name(problem, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = ["train", "prototypical", "--on", problem, "--augment", "flip"]
    demand_refused(asked, "--augment is not read by this run: it is a setting of", tmp_path, capsys)


def unchanged(found, before):
    return (np.asarray(found.x) == np.asarray(before.x)).all((1, 2, 3))


@pytest.mark.parametrize("sizes", ["", " --fewest-ways 2"])
def test_only_images_that_are_learned_from_change(photos, sizes):
    """Support and query; the classes and items of the same keys are the same."""
    own = "--ways 3 --size 12 --train-ways 3" + sizes
    plain = typed("prototypical", own, str(photos))
    recipe = typed("prototypical", own + " --augment crop-flip-jitter --padding 3", str(photos))
    assert recipe.problem.augment == CropFlipJitterConfig(padding=3)
    found, before = (tasks(one).sample(KEY) for one in (recipe, plain))
    for part in ("support", "query"):
        assert not unchanged(getattr(found, part), getattr(before, part)).any()
        assert (getattr(found, part).y == getattr(before, part).y).all()
    for split in ("validation", "test", "train"):  # as evaluate --split draws them
        found, before = (tasks_of(one, split) for one in (recipe, plain))
        assert unchanged(found.support, before.support).all()
        assert unchanged(found.query, before.query).all()
    validation = recipe.problem.training_tasks("validation", Source())
    assert validation.transform is None


def tasks_of(recipe, split):
    return recipe.problem.tasks(split, Source()).sample(KEY)


def test_pre_training_on_all_classes_is_augmented(photos):
    recipe = typed("transfer", "--ways 3 --size 12 --augment flip", str(photos))
    all_classes = tasks(recipe)
    assert isinstance(all_classes, qs.AllClasses)
    assert all_classes.episodes.transform == qs.Transforms((qs.RandomFlip(),))


def test_a_run_keeps_it(photos, tmp_path, capsys):
    run = tmp_path / "run"
    small = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2 --filters 2"
    own = "--ways 3 --size 12 --train-ways 3 --augment crop-flip"
    asked = f"train prototypical --on {photos} {small} {own} --no-test --run {run}"
    main(asked.split())
    kept = json.loads((run / "recipe.json").read_text())
    assert kept["problem"]["augment"] == {"name": "crop-flip", "padding": 0}
    assert from_json(kept).problem.augment == CropFlipConfig()
    main(["evaluate", str(run), "--episodes", "3", "--no-curves"])
    older = kept | {"problem": {n: v for n, v in kept["problem"].items() if n != "augment"}}
    assert from_json(older).problem.augment == NoAugmentConfig()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--network efficientnet-lite0 --augment flip", "reads each image once, before training, "
         "and --augment flip changes images each time they are drawn; give --augment none"),
        ("--size 12 --augment flip --padding 3",
         "it belongs to --augment crop-flip, and here --augment is flip"),
        ("--size 12 --augment crop-flip --padding 12", "padding is 12 and images are 12×12"),
        ("--augment mirror", "--augment is 'mirror'; give one of none, flip, crop-flip"),
    ],
)  # fmt: skip
def test_what_cannot_be_fails_before_the_run(flags, said, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = f"train prototypical --on {photos} --ways 3 --train-ways 3 {flags}".split()
    demand_refused(asked, said, tmp_path, capsys)


def test_features_are_not_augmented(tmp_path, monkeypatch, capsys):
    features = np.random.default_rng(0).normal(size=(72, 5)).astype(np.float32)
    np.savez(tmp_path / "features.npz", features=features, labels=np.repeat(np.arange(9), 8))
    (runs := tmp_path / "runs").mkdir()
    monkeypatch.chdir(runs)
    path = str(tmp_path / "features.npz")
    asked = ["train", "prototypical", "--on", path, "--ways", "3", "--train-ways", "3"]
    said = "changes images, and this problem's inputs are features, [5]; give --augment none"
    demand_refused([*asked, "--augment", "flip"], said, runs, capsys)


def test_arrays_of_images_are_augmented(tmp_path):
    problem = find_problem(str(npz_of_images(tmp_path / "birds.npz", 9)))
    problem = replace(problem, ways=3, augment=FlipConfig()).prepared(Source())
    assert problem.training_tasks("train", Source()).transform is not None


def test_training_tasks_in_words():
    problem = MiniImageNetImages(augment=CropFlipConfig())
    assert problem.trained_shape(None) == "augmented by crop-flip"
    assert problem.trained_shape(20) == "augmented by crop-flip, 20-way, validation 5-way"
    assert MiniImageNetImages().trained_shape(20) == "20-way, validation 5-way"
