"""`quickstudy recipes`, `methods` and `problems`: what there is, a line each."""

import difflib
from collections.abc import Iterable

from quickstudy.app.flags import flags_of
from quickstudy.app.pairing import summary
from quickstudy.errors import BadInput
from quickstudy.experiments.method import Method
from quickstudy.experiments.methods import METHODS
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.problems import PROBLEMS, find_problem, own_family
from quickstudy.experiments.recipe import Recipe
from quickstudy.experiments.recipes import DEFAULT, known

WIDTH = 100


def recipes(arguments: list[str]) -> None:
    """`quickstudy recipes [NAME]`: all by what a person has, or everything about one."""
    names = known()
    arguments = _asked(arguments, "recipes [NAME]", most=1)
    if not arguments:
        print("quickstudy train RECIPE; quickstudy recipes NAME shows its settings and target.\n")
        for has, own in _grouped(names.values()).items():
            print(f"{has}:")
            _wrapped(f"{r.name} (default)" if r.name == DEFAULT else r.name for r in own)
        return
    word = arguments[0]
    if word in names:
        _tell(names[word])
        return
    found = [recipe for name, recipe in names.items() if word in name]
    if not found:
        near = difflib.get_close_matches(word, names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadInput(f"no recipe has {word!r} in its name; {hint}leave it out to list them all")
    for recipe in found:
        print(f"{recipe.name:24} {recipe.card.reaches}")


def _asked(arguments: list[str], usage: str, *, most: int) -> list[str]:
    """The arguments; help is printed here."""
    if {"-h", "--help"} & set(arguments):
        print(f"usage: quickstudy {usage}")
        raise SystemExit(0)
    if len(arguments) > most:
        raise BadInput(f"{arguments[most]!r} is one argument too many: quickstudy {usage}")
    return arguments


def _grouped(recipes: Iterable[Recipe]) -> dict[str, list[Recipe]]:
    found: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        found.setdefault(recipe.problem.has, []).append(recipe)
    return found


def _wrapped(names: Iterable[str]) -> None:
    """Names side by side, none of them cut."""
    line = " "
    for name in names:
        if len(line) + len(name) + 2 > WIDTH and line.strip():
            print(line)
            line = " "
        line += f" {name}"
    print(line)


def _tell(recipe: Recipe) -> None:
    """Everything about one recipe."""
    prepared = recipe.method.prepared(recipe.problem)
    lines = {
        "method": f"{recipe.method.name}: {summary(type(recipe.method))}",
        "problem": f"{recipe.problem.name}: {summary(type(recipe.problem))}",
        "must reach": recipe.card.reaches,
        "takes": recipe.card.takes,
        "source": recipe.source,
        "command": f"quickstudy train {recipe.name}",
    }
    print(recipe.name)
    for name, said in lines.items():
        print(f"    {name:11} {said}")
    hidden = recipe.method.unread()
    parts = (recipe.problem, prepared, recipe.budget)
    flags = [flag for part in parts for flag in flags_of(part, hidden)]
    print("    settings")
    for flag in flags:
        print(f"        --{flag.spelled} {flag.default}")


def methods(arguments: list[str]) -> None:
    """`quickstudy methods [--on PROBLEM]`: a line each, by what they learn from."""
    problem = None
    split = [part for one in arguments for part in one.split("=", 1)]
    asked = _asked(split, "methods [--on PROBLEM]", most=2)
    if asked[:1] == ["--on"] and len(asked) == 2:
        problem = find_problem(asked[1])
    elif asked:
        raise BadInput("give nothing, or --on PROBLEM: quickstudy methods --on omniglot")
    kinds: dict[str, list[type[Method]]] = {}
    for kind in METHODS:
        if problem is None or _learns(kind, problem):
            kinds.setdefault(kind.learns_how, []).append(kind)
    for what, own in kinds.items():
        print(f"To learn {what}:")
        for kind in own:
            print(f"  {kind.name:13} {summary(kind)}")


def _learns(kind: type[Method], problem: Problem) -> bool:
    try:
        kind().prepared(problem).check(problem)
    except BadInput:
        return False
    return True


def problems(arguments: list[str]) -> None:
    """`quickstudy problems`: a line each, by what a person has."""
    _asked(arguments, "problems", most=0)
    groups: dict[str, list[type[Problem]]] = {}
    for kind in PROBLEMS:
        groups.setdefault(kind.has, []).append(kind)
    for has, own in groups.items():
        print(f"{has}:")
        for kind in own:
            print(f"  --on {kind.spelled():15} {summary(kind)}")
    print("code of your own (docs/own-environment.md, docs/own-data.md):")
    for kind in (own_family.OwnHostFamily, own_family.OwnFamily):
        print(f"  --on {'PATH.py:NAME':15} {summary(kind)}")
