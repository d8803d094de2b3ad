"""The table of recipes: every one states what it must reach, and comes back from JSON."""

import inspect
import json
import re
from dataclasses import fields, replace

import jax
import numpy as np
import pytest

from quickstudy.app.docstrings import field_docs
from quickstudy.errors import BadInput
from quickstudy.experiments.family import FamilyProblem, HostProblem
from quickstudy.experiments.methods import METHODS
from quickstudy.experiments.problems import PROBLEMS
from quickstudy.experiments.recipe import from_json
from quickstudy.experiments.recipes import DEFAULT, RECIPES, find_recipe, recipe_of
from references.recipes import ALL, typed

KEY = jax.random.key(0)


@pytest.mark.parametrize("name", RECIPES)
def test_to_json_and_back(name):
    budget = replace(ALL[name].budget, seed=7, steps=5)
    recipe = replace(ALL[name], budget=budget)
    assert from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize("name", RECIPES)
def test_everything_is_stated(name):
    recipe = RECIPES[name]
    pair = f"{recipe.method.name}-{recipe.problem.name}"
    network = getattr(getattr(recipe.method, "network", None), "name", None)
    assert recipe.name == name
    assert name in (pair, f"{pair}-{network}")
    assert recipe.card.reaches
    assert recipe.card.takes
    assert "http" in recipe.source
    recipe.method.check(recipe.problem)
    assert recipe_of(recipe.method.name, recipe.problem.name) is RECIPES[pair]


@pytest.mark.parametrize("kind", [*METHODS, *PROBLEMS], ids=lambda kind: kind.__name__)
def test_every_setting_and_every_choice_is_documented(kind):
    assert (inspect.getdoc(kind) or "").strip()
    waiting = [kind]
    for one in waiting:
        settings = field_docs(one)
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
    recipe = typed(f"rl2-{name}", "--trial-episodes 2")
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


def test_a_folder_in_the_place_of_a_recipe(tmp_path):
    with pytest.raises(BadInput, match=f"--on {re.escape(str(tmp_path))}"):
        find_recipe(str(tmp_path))
