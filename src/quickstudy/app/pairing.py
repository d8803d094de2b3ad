"""From what a user types to a recipe: a recipe's name, or a method and a problem, with flags."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

from quickstudy.app.flags import (
    Flag,
    demand_read,
    flags_of,
    parse,
    unchosen,
    with_choices,
    with_flags,
)
from quickstudy.errors import BadInput
from quickstudy.experiments.method import Method
from quickstudy.experiments.methods import METHODS, find_method
from quickstudy.experiments.methods.own import method_of
from quickstudy.experiments.own import from_file, from_packages, is_file
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.problems import PROBLEMS, find_problem
from quickstudy.experiments.recipe import Card, Recipe
from quickstudy.experiments.recipes import DEFAULT, RECIPES, find_recipe, known, recipe_of
from quickstudy.experiments.settings import Own


def named_recipe(named: str | None, problem: str | None) -> Recipe:
    """The recipe that a name and `--on` mean, with its own settings.

    Args:
        named: of a recipe or a method, or `PATH.py:NAME` of either; `None` for the default.
        problem: what `--on` says.

    Raises:
        BadInput: there is no such recipe, method or problem, or they do not go together.

    Example:
        >>> named_recipe("maml", "sinusoid").name
        'maml-sinusoid'
    """
    if named is None and problem is None:
        return find_recipe(DEFAULT)
    if named is not None and is_file(named):
        own = from_file(named)
        if isinstance(own.thing, Recipe):
            return _alone(replace(own.thing, name=own.where), problem)
        return _pair(method_of(own), problem, own.where.rpartition(":")[2].lower())
    if named in RECIPES or (named in from_packages()):
        return _alone(find_recipe(named), problem)
    if problem is None and named not in {kind.name for kind in METHODS}:
        assert named is not None
        return find_recipe(named)  # which says what is nearest
    on = None if problem is None else find_problem(problem)
    return _pair(find_method(named or "prototypical", on), problem, None, on)


def _alone(recipe: Recipe, problem: str | None) -> Recipe:
    if problem is not None:
        raise BadInput(
            f"{recipe.name} is a recipe, with a problem of its own; to learn another one name the "
            f"method: quickstudy train {recipe.method.name} --on {problem}"
        )
    return recipe


def _pair(
    method: Method, named: str | None, called: str | None, problem: Problem | None = None
) -> Recipe:
    """A method on a problem: by the table's recipe for the pair, where it has one."""
    if named is None:
        fitting = [kind.name for kind in PROBLEMS if issubclass(kind, method.learns)]
        raise BadInput(
            f"{called or method.name} is a method; name a problem too, with --on: "
            f"{', '.join(fitting)}, a folder of images, or PATH.py:NAME"
        )
    problem = problem or find_problem(named)
    method.check(problem)
    if called is None:
        tuned = None if is_file(named) else recipe_of(method.name, problem.name)
        # By type, too: a learner's method and a policy's may share a name.
        if tuned is not None and type(tuned.method) is type(method):
            return tuned
        method = _of_numbers(method, problem)
    name = f"{called or method.name}-{_short(named, problem)}"
    return Recipe(problem, method, method.budget(problem), name=name)


def untouched(recipe: Recipe, own: Sequence[str] = ()) -> Recipe:
    """The recipe as it is before any flag is given.

    Args:
        recipe: of a run.
        own: `PATH.py:NAME` of the code of the user's own that the run was made with.

    Example:
        >>> untouched(with_arguments(find_recipe("maml-glyphs"), [], ["--steps", "3"],
        ...                          prog="train")[0]).budget.steps
        3000
    """
    named = [found.thing for one in own if isinstance((found := from_file(one)).thing, Recipe)]
    if recipe.name in known():
        base = find_recipe(recipe.name)
    elif named:
        base = named[0]
    else:
        problem, method = _unset(recipe.problem), _unset(recipe.method)
        method = _of_numbers(method, problem).prepared(problem)
        return replace(recipe, problem=problem, method=method, budget=method.budget(problem))
    return replace(base, method=base.method.prepared(base.problem))


def _unset(part: Any) -> Any:
    """A problem or a method with the default of every flag; what a run keeps stays."""
    defaults = {}
    for field in fields(part):
        kept = field.metadata.get("kept") or isinstance(getattr(part, field.name), Own)
        if field.init and not kept and field.default is not MISSING:
            defaults[field.name] = field.default
    return replace(part, **defaults)


def _of_numbers(method: Method, problem: Problem) -> Method:
    """The method with the settings that its recipe for sinusoids has, where targets are numbers:
    rates of the mean cross entropy make descent on a squared error diverge."""
    tuned = recipe_of(method.name, "sinusoid")
    if getattr(problem, "classification", True) or tuned is None:
        return method
    return replace(tuned.method, network=getattr(method, "network", None))


def _short(named: str, problem: Problem) -> str:
    """What a run of that problem is called."""
    from pathlib import Path

    if is_file(named):
        return named.rpartition(":")[2].lower()
    return problem.name if problem.name == named else Path(named).stem or problem.name


def with_arguments(
    recipe: Recipe,
    more: Sequence[Flag],
    arguments: Sequence[str],
    *,
    prog: str,
    unread: Mapping[str, str] | None = None,
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe with the settings that the arguments give, and the values of further flags.

    Args:
        recipe: whose settings are the defaults.
        more: flags of the command.
        arguments: what the user typed, without names in front.
        prog: the command, for help.
        unread: flags that the command does not read here, and why.

    Raises:
        BadInput: a flag that this run does not read.
    """
    problem = with_choices(recipe.problem, arguments)
    method = with_choices(recipe.method.prepared(problem), arguments)
    method.check(problem)
    hidden = method.unread()
    read = [flag for part in (problem, method, recipe.budget) for flag in flags_of(part, hidden)]
    flags = [*read, *more]
    why = {**elsewhere(recipe, problem, method), **(unread or {})}
    demand_read(flags, arguments, why)
    parsed = parse(flags, arguments, prog=prog, description=description(recipe))
    parts = (problem, method, recipe.budget)
    problem, method, budget = (with_flags(part, parsed) for part in parts)
    demand_useful(problem, flags, arguments)
    changed = replace(recipe, problem=problem, method=method, budget=budget)
    return changed, {flag.name: parsed[flag.name] for flag in more}


def demand_useful(problem: Problem, flags: Sequence[Flag], arguments: Sequence[str]) -> None:
    """Refuse flags that the problem, as they set it, does not read.

    Raises:
        BadInput: names the flag, and why it is not read.
    """
    unread = problem.unread()
    why = {name.replace("_", "-"): said for name, said in unread.items()}
    demand_read([flag for flag in flags if flag.name not in unread], arguments, why)


def description(recipe: Recipe) -> str:
    """What help says above the flags."""
    card, problem = recipe.card, recipe.problem
    listed = any(kind is type(problem) for kind in PROBLEMS)
    told = [f"Must reach {card.reaches}; takes {card.takes}."] if card != Card() else []
    told += [f"Source: {recipe.source}."] if recipe.source else []
    on = problem.name if listed else problem.data()
    about = f"{summary(type(recipe.method))} On {on}: {summary(type(problem))}".rstrip(": ")
    return f"{recipe.name}: {about}\n\n{' '.join(told)}".rstrip()


def summary(kind: type) -> str:
    """The first sentence of a class's docstring, on one line; nothing without one."""
    import inspect

    first = (inspect.getdoc(kind) or "").partition("\n\n")[0]
    if first.startswith(f"{kind.__name__}("):  # which dataclass writes where nobody did
        return ""
    return " ".join(first.split())


def elsewhere(recipe: Recipe, problem: Problem, method: Method) -> dict[str, str]:
    """Flags that this run does not read, and what reads them."""
    found: dict[str, str] = {}
    for kind in PROBLEMS:
        for name in _fields(kind):
            found.setdefault(name, f"it is a setting of the problem {kind.name}")
    for kind in METHODS:
        for name in (*_fields(kind), *(f.spelled for f in flags_of(kind())), *unchosen(kind())):
            found.setdefault(name, f"it is a setting of the method {kind.name}")
    found |= unchosen(problem) | unchosen(method)
    hidden = method.unread()
    # With those of a choice that is not read, whichever was made.
    every, read = ({flag.name for flag in flags_of(method, names)} for names in ((), hidden))
    for name in hidden | (every - read):
        found[name.replace("_", "-")] = f"{method.name} with these settings has no use for it"
    found.setdefault(
        "episodes",
        "it is how many tests quickstudy evaluate makes; the episodes of a trial are "
        "--trial-episodes",
    )
    found["data"] = (
        f"{problem.name} reads no folder of data; to learn from a folder of images of your own, "
        f"give it as the problem: quickstudy train {method.name} --on FOLDER"
    )
    return found


def _fields(kind: type) -> list[str]:
    import dataclasses

    return [
        field.name.replace("_", "-")
        for field in dataclasses.fields(kind)
        if not field.metadata.get("kept")
    ]
