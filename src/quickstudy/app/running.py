"""What commands on a run share: its folder or file, first of all that is typed."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quickstudy.app.flags import Flag, flags_of, parse
from quickstudy.app.pairing import elsewhere
from quickstudy.errors import BadInput, DataError
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.recipe import Recipe


def first_argument(
    arguments: list[str], usage: str, options: type[Any], about: str
) -> tuple[Path, list[str]]:
    """The run, and the arguments after it; help that needs no run is printed here.

    Args:
        arguments: what the user typed.
        usage: the command and its first argument, as "evaluate RUN".
        options: the flags that the command has for every run.
        about: what it does, for help.

    Raises:
        BadInput: there is no run.
    """
    if arguments and not arguments[0].startswith("-"):
        return Path(arguments[0]), arguments[1:]
    command = usage.partition(" ")[0]
    if {"-h", "--help"} & set(arguments):
        about = f"{about} quickstudy {usage} --help lists the settings of that run, too."
        parse(flags_of(options()), ["--help"], prog=f"quickstudy {usage}", description=about)
    raise BadInput(f"name the run first: quickstudy {command} RUN, its folder or an exported file")


def paths_first(
    arguments: list[str], usage: str, flags: Sequence[Flag], *, least: int, about: str
) -> tuple[list[Path], list[str]]:
    """The paths that a command begins with, and the arguments after them; help is printed here.

    Args:
        arguments: what the user typed.
        usage: the command and its paths, as "predict FILE IMAGE ...".
        flags: of the command.
        least: how many paths it needs.
        about: what it does, for help.

    Raises:
        BadInput: there are fewer paths.
    """
    if {"-h", "--help"} & set(arguments):
        parse(flags, ["--help"], prog=f"quickstudy {usage}", description=about)
    paths = list(itertools.takewhile(lambda one: not one.startswith("-"), arguments))
    if len(paths) < least:
        raise BadInput(f"give the paths first, {least} or more: quickstudy {usage}")
    return [Path(one) for one in paths], arguments[len(paths) :]


def demand_data(problem: Problem, advice: str) -> None:
    """The user's own data must be where they were when a run began.

    Args:
        problem: of the run.
        advice: what to do about data that were moved.

    Raises:
        DataError: they are not there.
    """
    if missing := problem.missing():
        raise DataError(f"there is no {missing}, which held the data of this run; {advice}")


def elsewhere_in_tests(recipe: Recipe, problem: Problem) -> dict[str, str]:
    """Flags that a test does not read, and why."""
    found = elsewhere(recipe, problem, recipe.method)
    trained = [*flags_of(recipe.problem), *flags_of(recipe.method), *flags_of(recipe.budget)]
    found |= {f.spelled: "it is a setting of the training, and stays as trained" for f in trained}
    found["data"] = (
        f"{problem.name} reads no folder of data; to test on a folder of images of your own, give "
        "it as the problem: --on FOLDER"
    )
    if not recipe.method.acts_greedily:
        found["greedy"] = f"{recipe.method.name} learns from examples, and does not act"
    return found
