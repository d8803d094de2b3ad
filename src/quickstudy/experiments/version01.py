"""Runs and files of version 0.1: their flat settings as problem, method and budget.

A recipe of 0.1 was a class with all settings in one dictionary, `{"recipe": "maml-omniglot",
"ways": 5, "inner_lr": 0.4, "steps": 15000, ...}`. Today's recipe of that name gives the structure,
and every setting goes to the field of its name.
"""

import dataclasses
import typing
from typing import Any

from quickstudy.errors import BadInput
from quickstudy.experiments.method import Method
from quickstudy.experiments.settings import Choice


def translated(value: dict[str, Any]) -> dict[str, Any]:
    """A recipe of 0.1 in today's form.

    Raises:
        BadInput: a recipe that 0.1 did not come with: one of the user's own.

    Example:
        >>> old = {"recipe": "maml-sinusoid", "inner_lr": 0.02, "steps": 7, "width": 8}
        >>> found = translated(old)
        >>> found["method"]["inner_lr"], found["method"]["network"]["width"]
        (0.02, 8)
    """
    from quickstudy.experiments.recipes import RECIPES

    settings = dict(value)
    name = str(settings.pop("recipe", ""))
    if name not in RECIPES:
        raise BadInput(
            f"version 0.1 wrote this by {name!r}, a recipe of your own, which was a class; today "
            "it is a value quickstudy.Recipe(problem, method, budget): train again, or read it "
            "with version 0.1"
        )
    recipe = RECIPES[name]
    method = recipe.method.prepared(recipe.problem)
    if "episodes" in settings and hasattr(method, "updates"):
        # 0.1 counted stages, of which the first is before any update.
        settings["updates"] = settings.pop("episodes") - 1
    method = _chosen(method, settings)
    found = dataclasses.replace(recipe, method=method).to_json()
    unread = method.unread() | _of_other_choices(method)
    for setting, one in settings.items():
        places = _places(found, setting)
        if len(places) == 1 and setting not in method.unread():
            places[0][setting] = one
        elif setting not in unread:
            raise BadInput(f"recipe {name} of version 0.1 had no setting {setting}")
    return found


def _chosen(method: Method, settings: dict[str, Any]) -> Method:
    """The method with the choices that 0.1 named; their names leave the settings."""
    for field, kind in _kinds(method).items():
        name = settings.pop(field, None)
        if name is not None and name != getattr(method, field).name:
            if name not in kind.choices():
                raise BadInput(f"{field} of a recipe of version 0.1 is {name!r}")
            method = dataclasses.replace(method, **{field: kind.choices()[name]()})
    return method


def _kinds(method: Method) -> dict[str, type[Choice]]:
    """The fields of a method that are choices, but its network, and of what kind they are."""
    hints = typing.get_type_hints(type(method))
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(method)
        if field.name != "network" and isinstance(getattr(method, field.name), Choice)
    }


def _of_other_choices(method: Method) -> set[str]:
    """Settings that 0.1 wrote down and did not read: they belonged to other choices."""
    found = {"similarity"}  # that of relation networks is learned
    for kind in _kinds(method).values():
        for choice in kind.choices().values():
            found |= {field.name for field in dataclasses.fields(choice)}
    return found


def _places(found: dict[str, Any], setting: str) -> list[dict[str, Any]]:
    """The dictionaries in which a setting of that name stands."""
    inner = [one for one in found.values() if isinstance(one, dict)]
    below = [place for one in inner for place in _places(one, setting)]
    own = setting in found and not isinstance(found[setting], dict) and "recipe" not in found
    return [found, *below] if own else below
