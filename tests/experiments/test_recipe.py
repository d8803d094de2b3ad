"""A recipe is a value: it is made ready, refused, written and read back."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

import quickstudy as qs
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.method import Test as Asking
from quickstudy.experiments.methods.maml import FINN, MAMLConfig
from quickstudy.experiments.problems.bandit import BanditFamily
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.experiments.recipe import Card, Recipe, from_json
from quickstudy.experiments.recipes import RECIPES
from references.small_problems import CURVES, NETWORK

RECIPE = Recipe(CURVES, MAMLConfig(NETWORK, inner_lr=0.25), Budget(steps=7, seed=3), name="mine")


def test_it_is_made_ready_with_all_that_a_run_must_keep():
    bare = Recipe(CURVES, MAMLConfig())
    assert bare.method.network is None
    assert bare.prepared().method.network == CURVES.network
    with pytest.raises(qs.BadInput, match="bandit is not of that kind"):
        Recipe(BanditFamily(), MAMLConfig()).prepared()


@dataclass(frozen=True)
class Loose(Recipe):
    """As a user writes it, where no type checker looks."""

    problem: Any
    method: Any
    budget: Any = 3


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ((MAMLConfig(), CURVES), "problem"),
        ((CURVES, MAMLConfig, Budget()), "method"),
        ((CURVES, MAMLConfig()), "budget"),
    ],
)
def test_parts_that_are_swapped_are_told_with_their_order(parts, named):
    with pytest.raises(qs.BadInput, match=rf"the {named} of .*\.Recipe\(problem, method, budget\)"):
        Loose(*parts)


def test_the_paper_is_the_method_s_unless_the_card_names_another():
    assert RECIPE.source == FINN
    assert Recipe(CURVES, MAMLConfig(), card=Card(source="mine, 2026")).source == "mine, 2026"
    assert Card().reaches == "no published figure"


def test_it_comes_back_from_json_with_the_card_of_its_name():
    written = json.loads(json.dumps(RECIPE.to_json()))
    assert written.keys() == {"recipe", "format", "problem", "method", "budget"}
    assert from_json(written) == RECIPE
    named = from_json({**written, "recipe": "maml-sinusoid"})
    assert named.card == RECIPES["maml-sinusoid"].card
    assert named.method == RECIPE.method, "settings are those of the file"


def test_version_01_is_translated():
    found = from_json({"recipe": "maml-sinusoid", "steps": 5, "inner_lr": 0.125})
    assert (found.budget.steps, found.method.inner_lr) == (5, 0.125)
    assert isinstance(found.problem, SinusoidCurves)


def test_the_method_is_asked_with_problem_budget_and_seed():
    class Asked(MAMLConfig):
        def learner(self, problem, seed):
            return "learner", problem, seed

        def training(self, problem, budget, source):
            return lambda: (budget.steps, source.folder)

        def evaluate(self, problem, learned, test, budget):
            return learned, test

    recipe = Recipe(CURVES, Asked(), Budget(steps=7, seed=3), name="mine")
    assert recipe.learner() == ("learner", CURVES, 3)
    assert recipe.training()() == (7, None)
    assert recipe.evaluate("learned") == ("learned", Asking("mine"))
    assert recipe.evaluate("learned", Asking("x", episodes=3))[1].episodes == 3


class Forgetful(MAMLConfig):
    """A method of a user's, which forgets to return what it built."""

    def learner(self, problem: Any, seed: int) -> Any:
        super().learner(problem, seed)


def test_a_method_that_returns_no_learner_is_named():
    with pytest.raises(qs.BadInput, match=r"Forgetful.learner returned None; return the untrained"):
        Recipe(CURVES, Forgetful(NETWORK)).learner()
