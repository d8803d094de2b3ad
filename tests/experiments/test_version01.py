"""Runs and files of version 0.1: every recipe that it came with, as it wrote them."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.checkpoint import read_recipe
from quickstudy.experiments.benchmark_recipes import BENCHMARKS
from quickstudy.experiments.methods.policy_starts import HeConfig, NoOffsetConfig
from quickstudy.experiments.methods.relation import DenseRelationConfig
from quickstudy.experiments.recipe import from_json
from quickstudy.experiments.recipes import RECIPES, find_recipe
from quickstudy.experiments.saved import load_recipe
from quickstudy.experiments.version01 import translated
from references.crashing import Crash, Crashing

DATA = Path(__file__).parents[1] / "data"
WRITTEN = json.loads((DATA / "recipes-0.1.json").read_text(encoding="utf-8"))
DEFAULTS = {value["recipe"]: value for value in reversed(WRITTEN)}  # the first is by default
NEW = {name for name in RECIPES if name not in DEFAULTS}
FILES = zipfile.ZipFile(DATA / "weights-0.1.zip").namelist()


def test_every_recipe_of_version_0_1_is_here():
    assert len(WRITTEN) == 86
    assert len(DEFAULTS) == 56
    assert {"cavia-sinusoid", "prototypical-emoji", "varibad-gridnavi", *BENCHMARKS} == NEW
    assert set(DEFAULTS) < set(RECIPES)


def numbers_in(value):
    """Every leaf of a recipe's JSON, by the name of its setting."""
    found = {}
    for name, one in value.items():
        found |= numbers_in(one) if isinstance(one, dict) else {name: one}
    return found


@pytest.mark.parametrize("value", WRITTEN, ids=lambda value: value["recipe"])
def test_every_setting_is_kept(value):
    """Under its own name, in whichever part it stands today."""
    recipe = from_json(value)
    assert recipe.name == value["recipe"]
    assert from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    today, unread = numbers_in(recipe.to_json()), recipe.method.unread()
    choices = {
        name: one["name"]
        for name, one in recipe.to_json()["method"].items()
        if isinstance(one, dict)
    }
    for name, one in value.items():
        if name in choices:
            assert choices[name] == one
        elif name == "episodes" and hasattr(recipe.method, "updates"):
            assert today["updates"] == one - 1
        elif name == "episodes":
            assert today["trial_episodes"] == one
        elif name == "protocol" and one == "snell2017":
            assert today[name] == "random-characters"
        elif name in today and name not in {"recipe", *unread}:
            assert today[name] == one, name


def test_the_episodes_of_a_trial_under_their_name_of_format_2():
    recipe = find_recipe("rl2-bandit").prepared()
    recipe = replace(recipe, problem=replace(recipe.problem, trial_episodes=7))
    value = recipe.to_json()
    value["problem"]["episodes"] = value["problem"].pop("trial_episodes")
    assert from_json(value | {"format": 2}) == recipe
    with pytest.raises(qs.BadInput, match="bandit has no setting episodes"):
        from_json(value)


def leaves(value, where=""):
    """Every leaf of a recipe's JSON, by where it stands."""
    found = {}
    for name, one in value.items():
        at = f"{where}.{name}".removeprefix(".")
        found |= leaves(one, at) if isinstance(one, dict) else {at: one}
    return found


SPLIT = {"problem.protocol": ("random-characters", "snell2017")}
ANEW = {"method.moments": ("anew", "kept")}
FINN = {"problem.protocol": ("random-characters", "finn2017")}
SUMMED = {"method.inner_lr": (0.4, 2.0)}  # the authors' rate is of a loss summed over classes
SCALE = {"method.output_scale": (1.0, 10.0)}
CENTRING = {"method.method.centring": ("none", "base")}
RELATION = {"method.pooling": ("sum", "mean")}
CHANGED = {
    "maml-glyphs": SUMMED,
    "maml-omniglot": SUMMED,
    "fomaml-glyphs": {"method.inner_lr": (0.4, 0.5), "method.inner_steps": (1, 5)},
    "fomaml-omniglot": {"method.inner_lr": (0.1, 0.5)},
    "anil-glyphs": {"method.inner_lr": (0.4, 0.5)},
    "anil-omniglot": {"method.inner_lr": (0.4, 0.5)},
    "relation-glyphs": RELATION,
    "prototypical-omniglot": SPLIT,
    "matching-omniglot": SPLIT,
    "ridge-glyphs": SCALE,
    "ridge-omniglot": SPLIT | SCALE | {"method.train_ways": (0, 60), "budget.meta_batch": (8, 1)},
    "reptile-omniglot": FINN | ANEW,
    "reptile-glyphs": ANEW,
    "reptile-sinusoid": ANEW,
    "blackbox-omniglot": SPLIT,
    "transfer-glyphs": CENTRING,
    "transfer-omniglot": SPLIT | CENTRING,
    "maml++-omniglot": {
        "method.network.norm": ("layer", "batch"),
        "method.network.downsample": ("stride", "pool"),
        "method.first_order": (0.3, 0.0),
    },
    "imaml-omniglot": {
        "method.inner_steps": (10, 16),
        "method.form.name": ("proximal", "pull-back"),
        "method.form.damping": (None, 1.0),
    },
    "relation-omniglot": FINN
    | RELATION
    | {
        "problem.queries": (0, 15),
        "method.head.name": ("dense", "conv"),
        "method.head.hidden": (64, None),
        "method.head.relation_filters": (None, 64),
        "method.head.relation_units": (None, 8),
        "method.train_ways": (20, 5),
        "budget.meta_batch": (2, 8),
    },
    "meta-sgd-glyphs": {"method.inner_lr": (0.1, 2.0)},
    "meta-sgd-omniglot": {"method.inner_lr": (0.1, 2.0)},
    "maml-navigation": {
        "method.scored_updates": (1, 2),
        "method.adapts.inner_lr": (0.1, 0.025),
        "method.adapts.later_lr": (0.03, 0.0005),
        "method.rule.name": ("rate", "rate-per-update"),
        "method.offset.name": ("none", "all"),
        "method.offset.start": (None, -2.0),
        "method.outer.radius": (0.01, 0.005),
        "method.unit": ("task", "mean"),
        "budget.steps": (400, 200),
        "method.inner_discount": (None, 0.0),
        "method.inner_decay": (None, 0.0),
    },
    "pretrained-navigation": {"budget.steps": (1200, 600)},
    "rl2-navigation": {"budget.steps": (400, 200)},
    "boil-glyphs": {"method.inner_lr": (0.4, 0.5)},
    "boil-omniglot": {"method.inner_lr": (0.4, 0.5)},
}
"""What recipes set otherwise today: as 0.1 had it, and as it is."""


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_of_0_1_are_kept_where_today_has_others(name):
    today = RECIPES[name]
    today = replace(today, method=today.method.prepared(today.problem))
    old, new = (leaves(own.to_json()) for own in (from_json(DEFAULTS[name]), today))
    differ = {at: (old.get(at), new.get(at)) for at in old | new if old.get(at) != new.get(at)}
    assert differ == CHANGED.get(name, {})


def test_nested_files_without_a_format_are_as_they_were():
    """Written after 0.1's flat ones, before recipes had a number for their form."""
    old = from_json(DEFAULTS["relation-glyphs"] | {"hidden": 16})
    nested = old.to_json()
    nested["method"]["hidden"] = nested["method"].pop("head")["hidden"]
    del nested["format"], nested["method"]["pooling"]
    before = json.dumps(nested)
    assert from_json(nested) == old
    assert old.method.head == DenseRelationConfig(hidden=16)
    assert json.dumps(nested) == before
    assert (
        from_json(nested | {"format": 1, "method": {"name": "relation"}}).method.pooling == "mean"
    )


@pytest.mark.parametrize("name", ["maml-navigation", "pretrained-navigation", "maml-bandit"])
def test_policies_of_before_have_the_weights_and_updates_that_they_had(name):
    """Whatever today's recipe of that name has; and classifiers have no such settings."""
    today = RECIPES[name].to_json()
    later = ("weights", "offset", "inner_discount", "inner_decay", "scored_updates")
    for setting in later:
        del today["method"][setting]
    without = {part: one for part, one in today.items() if part != "format"}
    for value in (today | {"format": 3}, without, DEFAULTS[name]):
        method = from_json(value).method
        found = [getattr(method, setting) for setting in later]
        assert found == [HeConfig(), NoOffsetConfig(), None, None, 1]
    assert from_json(RECIPES["maml-glyphs"].to_json() | {"format": 3}) == RECIPES["maml-glyphs"]


def test_reptile_of_before_began_adam_anew_in_each_task():
    today = RECIPES["reptile-omniglot"].to_json()
    assert today["method"].pop("moments") == "kept"
    without = {part: one for part, one in today.items() if part != "format"}
    for value in (today | {"format": 4}, without, DEFAULTS["reptile-omniglot"]):
        assert from_json(value).method.moments == "anew"


def test_the_split_that_was_called_snell2017():
    """Runs of before were tested on random characters, and are again."""
    for name, protocol in (
        ("prototypical-omniglot", "random-characters"),
        ("boil-omniglot", "finn2017"),
    ):
        recipe = from_json(DEFAULTS[name])
        assert recipe.problem.protocol == protocol
        assert recipe.problem.data() == f"omniglot ({protocol}), 5-way 1-shot"
    today = RECIPES["prototypical-omniglot"].to_json()
    assert from_json(today).problem.protocol == "snell2017"
    older = {name: one for name, one in today.items() if name != "format"}
    assert from_json(older).problem.protocol == "random-characters"


def test_a_setting_that_is_not_of_0_1_is_refused():
    with pytest.raises(qs.BadInput, match="no setting colour"):
        translated({"recipe": "maml-glyphs", "colour": "red"})
    with pytest.raises(qs.BadInput, match=r"by 'x\.py:X', a recipe of your own"):
        translated({"recipe": "x.py:X", "steps": 3})
    with pytest.raises(qs.BadInput, match=r"context of a recipe of version 0\.1 is 'half'"):
        translated({"recipe": "matching-glyphs", "context": "half"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", "many"), ("steps", None), ("steps", []), ("steps", -1), ("inner_lr", float("inf"))],
)
def test_a_setting_that_is_no_number(name, value):
    with pytest.raises(qs.BadInput, match=f"{name} .*; give a "):
        from_json({"recipe": "maml-sinusoid", name: value})


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    with zipfile.ZipFile(DATA / "weights-0.1.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("file", FILES)
def test_an_exported_file_of_0_1_is_read(file, weights):
    """All its arrays, by their names: what is read is of today's structure."""
    if file.removesuffix(".safetensors").endswith(("-ant", "-cheetah")):
        pytest.importorskip("mujoco")
    recipe = load_recipe(weights / file)
    assert read_recipe(weights / file)["recipe"] == recipe.name
    found, untrained = (jax.tree.leaves(own) for own in (qs.load(weights / file), recipe.learner()))
    assert [jax.numpy.shape(x) for x in found] == [jax.numpy.shape(x) for x in untrained]
    assert all(np.isfinite(x).all() for x in found if eqx.is_inexact_array(x))


OLD = DEFAULTS["maml-sinusoid"] | {
    "steps": 6, "meta_batch": 2, "validate_every": 2, "validation_episodes": 2, "width": 4,
}  # fmt: skip


def test_a_run_of_0_1_is_resumed(tmp_path):
    """Its recipe.json and the headers of its checkpoints stay in their own form."""
    recipe, bits = from_json(OLD), []
    whole, broken = (qs.Run.create(tmp_path / name, OLD) for name in ("whole", "broken"))
    recipe.training()(run=whole)
    with pytest.raises(Crash):
        recipe.training()(run=broken, report=Crashing(3))
    assert max(broken.checkpoints.steps()) < 6, "it has not ended"
    from quickstudy.app.cli import main

    main(["train", "--resume", str(broken.folder), "--no-test"])
    for run in (whole, broken):
        assert json.loads((run.folder / "recipe.json").read_text()) == OLD
        assert read_recipe(run.checkpoints.path(6)) == OLD
        bits.append([np.asarray(x) for x in jax.tree.leaves(qs.load(run.folder))])
    for one, other in zip(*bits, strict=True):
        np.testing.assert_array_equal(one, other)
    main(["train", "--resume", str(broken.folder), "--steps", "8", "--no-test"])
    assert json.loads((broken.folder / "recipe.json").read_text()) == OLD | {"steps": 8}
    assert broken.checkpoints.steps()[0] == 8
