"""The table of recipes: every one states what it must reach, and comes back from JSON."""

import inspect
import json
from dataclasses import fields, replace

import equinox as eqx
import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.app.flags import described
from quickstudy.experiments.family import FamilyProblem, HostProblem
from quickstudy.experiments.methods import METHODS
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems import PROBLEMS
from quickstudy.experiments.recipe import from_json
from quickstudy.experiments.recipes import DEFAULT, RECIPES, recipe_of
from quickstudy.tasks.all_classes import AllClasses
from references.recipes import typed

KEY = jax.random.key(0)
ALL = {name: replace(r, method=r.method.prepared(r.problem)) for name, r in RECIPES.items()}


@pytest.mark.parametrize("name", RECIPES)
def test_to_json_and_back(name):
    budget = replace(ALL[name].budget, seed=7, steps=5)
    recipe = replace(ALL[name], budget=budget)
    assert from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize("name", RECIPES)
def test_everything_is_stated(name):
    recipe = RECIPES[name]
    assert recipe.name == name == f"{recipe.method.name}-{recipe.problem.name}"
    assert recipe.card.reaches
    assert recipe.card.takes
    assert "http" in recipe.source
    recipe.method.check(recipe.problem)
    assert recipe_of(recipe.method.name, recipe.problem.name) is recipe


@pytest.mark.parametrize("kind", [*METHODS, *PROBLEMS], ids=lambda kind: kind.__name__)
def test_every_setting_and_every_choice_is_documented(kind):
    assert (inspect.getdoc(kind) or "").strip()
    waiting = [kind]
    for one in waiting:
        settings = described(one)
        assert all(said.endswith((".", ")")) for said in settings.values()), settings
        for field in fields(one):
            default = getattr(kind(), field.name, None) if one is kind else None
            for base in type(default).__mro__[1:2] if hasattr(default, "choices") else ():
                waiting += [own for own in base.choices().values() if own.name != "own"]


def test_names_mean_one_thing():
    """Two methods may share a name only where no problem could be meant for both."""
    for kinds in (METHODS, PROBLEMS):
        names = {}
        for kind in kinds:
            names.setdefault(kind.name, []).append(kind)
        for same in names.values():
            learned = [kind.learns for kind in same] if kinds is METHODS else same
            assert len(set(learned)) == len(same)
    assert not {kind.name for kind in METHODS} & {kind.name for kind in PROBLEMS}
    assert DEFAULT in RECIPES


def test_settings_of_recipes_are_those_of_their_papers():
    prototypical = ALL["prototypical-omniglot"]
    assert (prototypical.method.network.filters, prototypical.problem.queries) == (64, 0)
    assert prototypical.method.train_ways == 60
    first_order = ALL["fomaml-glyphs"]
    assert (first_order.budget.steps, first_order.budget.meta_batch) == (2000, 8)
    # 0.4 on 5 and 0.1 on 20 ways, of a loss that the authors sum over the classes.
    for name in ("maml-omniglot", "maml-glyphs"):
        assert ALL[name].method.inner_lr == 0.4 * 5 == 0.1 * 20, name
    # 0.1 on 5 ways, summed; and authors who take PyTorch's mean.
    for name in ("fomaml-omniglot", "fomaml-glyphs"):  # searched
        assert (ALL[name].method.inner_lr, ALL[name].method.inner_steps) == (0.5, 5)
    for name, rate in {"anil": 0.1 * 5, "boil": 0.5, "maml++": 0.1, "imaml": 0.1}.items():
        assert ALL[f"{name}-omniglot"].method.inner_lr == rate, name
    assert ALL["cavia-sinusoid"].method.inner_lr == 1.0
    ridge = ALL["ridge-omniglot"]
    assert (float(ridge.learner().scale), ridge.method.train_ways) == (10.0, 60)
    assert float(ALL["ridge-sinusoid"].learner().scale) == 1.0
    with pytest.raises(qs.BadInput, match=r"sinusoid is regression.*leave --train-ways out"):
        typed("ridge-sinusoid", "--train-ways 3")
    plus = ALL["maml++-omniglot"]
    assert plus.learner().transductive
    assert (plus.method.network.downsample, plus.method.first_order) == ("pool", 0.0)
    implicit = ALL["imaml-omniglot"].learner()
    assert (implicit.steps, implicit.form) == (16, qs.PullBackForm(damping=1.0))
    assert ALL["imaml-glyphs"].learner().form == qs.ProximalForm()
    reptile = ALL["reptile-omniglot"]
    assert (reptile.method.network.filters, reptile.problem.queries) == (64, 9)
    assert reptile.budget.learning_rate == 1.0


def tasks(recipe, split="train"):
    return (
        recipe.method.training_tasks(recipe.problem, Source())
        if split == "train"
        else recipe.problem.tasks(split, Source())
    )


@pytest.mark.parametrize("name", ["transfer-glyphs", "transfer-omniglot"])
def test_transfer_knows_how_many_classes_there_are(name, request):
    if "omniglot" in name:
        request.getfixturevalue("omniglot_data")
    recipe = ALL[name]
    train = tasks(recipe)
    assert isinstance(train, AllClasses)
    assert train.classes == recipe.problem.classes(Source())
    assert isinstance(tasks(recipe, "test"), qs.Episodes)


def test_more_ways_in_training_than_at_test():
    recipe = ALL["prototypical-glyphs"]
    assert tasks(recipe).ways == 20
    assert tasks(recipe, "test").ways == 5
    changed = recipe.problem.changed({"ways": 7, "shots": 3})
    assert changed.tasks("test", Source()).ways == 7


def test_training_tasks_of_different_sizes():
    """Validation and test tasks stay as they are."""
    recipe = typed("prototypical-glyphs", "--fewest-ways 3 --fewest-shots 2 --shots 4")
    train = tasks(recipe)
    assert isinstance(train, qs.Varying)
    assert (train.ways, train.episodes.ways, train.shots, train.episodes.shots) == (3, 20, 2, 4)
    assert all(isinstance(tasks(recipe, s), qs.Episodes) for s in ("validation", "test"))
    validation = recipe.problem.training_tasks("validation", Source())
    assert (validation.ways, validation.shots) == (5, 4)
    recipe.learner().check(eqx.filter_eval_shape(train.sample, KEY))
    assert from_json(recipe.to_json()) == recipe
    only_shots = tasks(typed("prototypical-glyphs", "--fewest-shots 2 --shots 4"))
    assert (only_shots.ways, only_shots.shots) == (20, 2)


def test_sizes_that_cannot_be():
    with pytest.raises(qs.BadInput, match=r"fewest ways are 30; give a number from 2 to 20"):
        tasks(typed("prototypical-glyphs", "--fewest-ways 30"))


KNOWS = {
    "bandit": "best arm",
    "tabular": "optimum",
    "gridnavi": "goal known",
    "maze": "maze known",
    "games": "game known",
    "half-circle": "goal known",
    "navigation": "goal known",
}


@pytest.mark.parametrize(
    "name",
    [
        kind.name
        for kind in PROBLEMS
        if issubclass(kind, FamilyProblem) and not issubclass(kind, HostProblem)
    ],
)
def test_an_oracle_that_knows_the_task_earns_more(name):
    """In the same tasks than random actions do, and nobody is expected to earn more."""
    recipe = typed(f"rl2-{name}", "--episodes 2")
    references = recipe.method.references(recipe.problem, recipe.problem.trial("test"), 0)
    found = {
        who: np.asarray(getattr(earned, "returns", earned)).sum(1).mean()
        for who, reference in references.items()
        for earned in [reference(KEY, 200)]
    }
    knows = found.pop(KNOWS[name])
    assert knows > found["random"] + 0.2
    # What is compared is luck too, where planners draw their own.
    assert knows > max(found.values()) - (0.1 if name == "bandit" else 0)
    assert len(found) >= {"bandit": 8, "tabular": 7, "gridnavi": 2}.get(name, 1)


def test_the_optimum_of_a_grid_is_that_of_its_goal():
    """The straight walk is not longer than the optimum's, and a goal beside the start is found
    sooner than one in the corner."""
    recipe = typed("rl2-gridnavi", "--episodes 2")
    references = recipe.method.references(recipe.problem, recipe.problem.trial("test"), 0)
    best, known = (references[name](KEY, 50) for name in ("Bayes optimum", "goal known"))
    assert best.shape == known.shape == (50, 2)
    assert (best[:, 0] <= known[:, 0] + 1e-6).all()
    assert len(np.unique(best[:, 0])) > 5
