"""The table of recipes: what is learned × how × how long, and the figure that each must reach."""

import difflib
from dataclasses import replace
from pathlib import Path

from quickstudy.errors import BadInput
from quickstudy.experiments.benchmark_recipes import BENCHMARKS
from quickstudy.experiments.learner_recipes import LEARNERS
from quickstudy.experiments.policy_recipes import POLICIES
from quickstudy.experiments.recipe import Recipe

# It must reach 96 % within 90 s, compilation and test included: 96.6 % in 81 s.
DEFAULT = "prototypical-glyphs"
RECIPES: dict[str, Recipe] = {
    name: replace(recipe, name=name)
    for name, recipe in {**LEARNERS, **BENCHMARKS, **POLICIES}.items()
}


def known() -> dict[str, Recipe]:
    """All recipes by name: ours, and those of installed packages."""
    from quickstudy.experiments.own import from_packages

    # Ours last: no package can replace one of them.
    return {**from_packages(), **RECIPES}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name, or the value `path.py:NAME` of a file.

    Raises:
        BadInput: there is none, and the message suggests the nearest; or a package offers one that
            cannot be loaded.

    Example:
        >>> find_recipe("maml-sinusoid").name
        'maml-sinusoid'
    """
    from quickstudy.experiments.own import demand_recipe, from_file, from_package, is_file

    if name in RECIPES:
        return RECIPES[name]
    if is_file(name):
        own = from_file(name)
        return demand_recipe(own.thing, name, own.where)
    if (offered := from_package(name)) is not None:
        return offered
    if Path(name).expanduser().is_dir():
        raise BadInput(
            f"{name} is a folder; a method is trained on it: quickstudy train prototypical --on "
            f"{name}"
        )
    near = difflib.get_close_matches(name, known(), n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}? " if near else ""
    raise BadInput(f"there is no recipe {name!r}; {hint}`quickstudy recipes` lists them all")


def recipe_of(method: str, problem: str) -> Recipe | None:
    """The recipe for that pair, if the table has one: its settings are the pair's defaults.

    Where a pair has several, for several networks, it is the one that names no network.

    Example:
        >>> recipe_of("maml", "sinusoid").budget.steps
        70000
    """
    return RECIPES.get(f"{method}-{problem}")
