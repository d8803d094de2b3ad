"""Runs and files of version 0.1: their flat settings as problem, method and budget.

A recipe of 0.1 was a class with all settings in one dictionary, `{"recipe": "maml-omniglot",
"ways": 5, "inner_lr": 0.4, "steps": 15000, ...}`. Today's recipe of that name gives the structure,
and every setting goes to the field of its name. Later files nest, and have no `format`, or one
below today's. What they could not choose is set as it was then.
"""

import copy
import dataclasses
import typing
from typing import Any

from quickstudy.errors import BadInput
from quickstudy.experiments.method import Method
from quickstudy.experiments.settings import Choice

FORMAT = 5
"""Of `Recipe.to_json`. Files without a number are older than all."""

POLICY = {
    "weights": {"name": "he"},
    "unit": "task",
    "offset": {"name": "none"},
    "inner_discount": None,
    "inner_decay": None,
    "scored_updates": 1,
}
SINCE_3: dict[str, dict[str, Any]] = {"maml policy": POLICY, "pretrained policy": POLICY}
"""Settings that files of format 3 do not have, as they were, by the name of a choice."""
SINCE_4: dict[str, dict[str, Any]] = {"reptile": {"moments": "anew"}}
"""Settings that files of format 4 do not have."""
THEN: dict[str, dict[str, Any]] = {
    "ridge": {"train_ways": 0, "output_scale": 1.0},
    "imaml": {"form": {"name": "proximal"}},
    "centroid": {"centring": "none"},
    **SINCE_3,
    **SINCE_4,
    "relation": {"pooling": "sum", "head": {"name": "dense", "hidden": 64}},
}
"""Settings that older files, without a format, do not have."""
RENAMED = {"snell2017": "random-characters"}
"""What older files call Omniglot's protocols, and what they are called today."""


def as_of_today(value: dict[str, Any]) -> dict[str, Any]:
    """A recipe's JSON of any age in today's form.

    Raises:
        BadInput: see `translated`.

    Example:
        >>> method = {"name": "relation", "hidden": 8}
        >>> old = {"recipe": "relation-glyphs", "method": method, "problem": {}}
        >>> as_of_today(old)["method"]["head"], as_of_today(old)["method"]["pooling"]
        ({'name': 'dense', 'hidden': 8}, 'sum')
    """
    if "problem" not in value:
        return translated(value)
    age = value.get("format", 1)
    if "format" not in value:
        value = _completed(value)
    elif age < FORMAT:
        value = _completed(value, {**(SINCE_3 if age < 4 else {}), **SINCE_4}, {})
    # Before format 3 the length of a trial had the name of the number of tests.
    problem = dict(value["problem"])
    if age < 3 and "episodes" in problem:
        problem["trial_episodes"] = problem.pop("episodes")
    return {**value, "problem": problem}


def _completed(
    value: Any, since: dict[str, dict[str, Any]] = THEN, renamed: dict[str, str] = RENAMED
) -> Any:
    """Older nested settings with those that came later, as they were."""
    if not isinstance(value, dict):
        return value
    now = {name: _completed(one, since, renamed) for name, one in value.items()}
    own = _then(value, since) | now
    if "head" in own and "hidden" in own:  # of relation networks, where it stood before
        own["head"] = own["head"] | {"hidden": own.pop("hidden")}
    if own.get("name") == "omniglot" and own.get("protocol") in renamed:
        own["protocol"] = renamed[own["protocol"]]
    return own


def _reset(value: Any) -> Any:
    """Today's settings with those that came later as they were."""
    if not isinstance(value, dict):
        return value
    return {name: _reset(one) for name, one in value.items()} | _then(value, THEN)


def _then(value: dict[str, Any], since: dict[str, Any]) -> dict[str, Any]:
    # MAML's policies have the name of its classifiers.
    name = f"{value.get('name')}{' policy' if 'trajectories' in value else ''}"
    return copy.deepcopy(since.get(name, {}))


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
    elif "episodes" in settings:
        settings["trial_episodes"] = settings.pop("episodes")
    method = _chosen(method, settings)
    if (protocol := settings.get("protocol")) in RENAMED:
        settings["protocol"] = RENAMED[protocol]
    found = _reset(dataclasses.replace(recipe, method=method).to_json())
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
        # Optional ones are the network, and what came later.
        if isinstance(hints[field.name], type) and isinstance(getattr(method, field.name), Choice)
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
