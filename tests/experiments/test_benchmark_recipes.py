"""Recipes on miniImageNet and CIFAR-FS: settings of their papers, and shapes that go together."""

import re
from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.app.commands.lists import recipes
from quickstudy.experiments.benchmark_recipes import BENCHMARKS
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.benchmarks import BenchmarkImages
from quickstudy.experiments.problems.natural import CropFlipJitterConfig, NoAugmentConfig
from quickstudy.experiments.recipes import RECIPES, recipe_of

KEY = jax.random.key(0)
MEASURED = re.compile(r"\d\d\.\d+ ± \d\.\d+")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_they_state_published_figures_and_that_nobody_measured_them(name):
    recipe = BENCHMARKS[name]
    assert len(MEASURED.findall(recipe.card.reaches)) == 2
    assert recipe.card.takes == "not measured; the data are not here"
    assert recipe.problem.queries == 15
    assert recipe.budget.steps % recipe.budget.validate_every == 0


def test_settings_are_those_of_the_papers():
    maml, budget = BENCHMARKS["maml-mini-imagenet"].method, BENCHMARKS["maml-mini-imagenet"].budget
    # 0.01 of a loss that the authors sum over 5 classes.
    assert maml.inner_lr == 0.01 * 5
    assert (maml.inner_steps, maml.test_inner_steps, maml.network.filters) == (5, 10, 32)
    assert (budget.steps, budget.meta_batch) == (60_000, 4)
    ways = {
        n: r.method.train_ways for n, r in BENCHMARKS.items() if hasattr(r.method, "train_ways")
    }
    assert ways["prototypical-mini-imagenet"] == 30
    assert (ways["ridge-mini-imagenet"], ways["ridge-cifar-fs"]) == (16, 20)
    for name in ("matching-mini-imagenet", "relation-mini-imagenet"):
        assert ways[name] == 5
    for name, recipe in BENCHMARKS.items():
        changed = "transfer" in name or "resnet12" in name
        wanted = CropFlipJitterConfig() if changed else NoAugmentConfig()
        assert recipe.problem.augment == wanted, name


def test_a_pair_means_the_recipe_with_conv4():
    for name in ("prototypical-mini-imagenet", "transfer-cifar-fs"):
        assert RECIPES[f"{name}-resnet12"].method.network.name == "resnet12"
        method, _, problem = name.partition("-")
        assert recipe_of(method, problem) is RECIPES[name]
        assert RECIPES[name].method.network.name == "conv4"


def test_they_are_listed(capsys):
    recipes(["mini-imagenet"])
    found = capsys.readouterr().out
    assert all(name in found for name in BENCHMARKS if "mini-imagenet" in name)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_their_learners_take_their_tasks(name, monkeypatch):
    """Shapes only, with images that are no data set's; so do those of tests."""
    recipe = BENCHMARKS[name].prepared()

    def drawn(problem, make, split, source, ways):
        classes = 64 if split == "train" else 20
        images = np.broadcast_to(np.uint8(0), (classes, 20, *problem.inputs))
        return qs.Episodes(images, ways=ways, shots=problem.shots, queries=problem.queries)

    monkeypatch.setattr(BenchmarkImages, "drawn", drawn)
    method, source = recipe.method, Source()
    learner = eqx.filter_eval_shape(recipe.learner)
    train = method.training_tasks(recipe.problem, source)
    assert (_transform(train) is not None) == (recipe.problem.augment.name != "none")
    for tasks, one in (
        (train, learner),
        (recipe.problem.tasks("test", source), method.for_test(learner)),
    ):
        one.check(eqx.filter_eval_shape(tasks.sample, KEY))
    if name.startswith("transfer"):
        assert train.classes == 64
    else:
        wanted = getattr(method, "train_ways", 0) or 5
        assert train.with_shape().ways == wanted
    five = replace(recipe.problem, shots=5)
    one.check(eqx.filter_eval_shape(five.tasks("test", source).sample, KEY))


def _transform(tasks):
    return getattr(tasks, "episodes", tasks).transform
