"""Recipes with settings, as a user types them."""

from dataclasses import replace

from quickstudy.app.pairing import named_recipe, with_arguments
from quickstudy.checkpoint import save_arrays
from quickstudy.experiments.problem import Source
from quickstudy.experiments.recipes import RECIPES
from quickstudy.runs import Run

ALL = {name: replace(r, method=r.method.prepared(r.problem)) for name, r in RECIPES.items()}
"""All recipes, with the networks that they take from their problems."""


def typed(name, arguments="", on=None):
    """The recipe that `quickstudy train NAME [--on ON] ARGUMENTS` trains, ready to be built."""
    found, _ = with_arguments(named_recipe(name, on), [], arguments.split(), prog="a test")
    return found.prepared()


def algorithm(recipe):
    """What trains a policy as the recipe says."""
    return recipe.method.algorithm(recipe.problem, recipe.budget)


def untrained(folder, name, arguments="", on=None):
    """A run's folder whose learner or policy has learned nothing."""
    recipe = typed(name, arguments, on)
    run = Run.create(folder, recipe.to_json())
    save_arrays(run.learner_file, recipe.learner(), recipe.to_json())
    return folder


def tasks(recipe, split="train"):
    """What a learner is trained on, or the tasks of another split."""
    if split == "train":
        return recipe.method.training_tasks(recipe.problem, Source())
    return recipe.problem.tasks(split, Source())
