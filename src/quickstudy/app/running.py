"""What commands on a run share: its folder or file, first of all that is typed."""

from pathlib import Path
from typing import Any

from quickstudy.app.flags import flags_of, parse
from quickstudy.app.pairing import elsewhere
from quickstudy.errors import BadInput
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.recipe import Recipe


def first_argument(arguments: list[str], usage: str, options: type[Any]) -> tuple[Path, list[str]]:
    """The run, and the arguments after it; help that needs no run is printed here.

    Args:
        arguments: what the user typed.
        usage: the command and its first argument, as "evaluate RUN".
        options: the flags that the command has for every run.

    Raises:
        BadInput: there is no run.
    """
    if arguments and not arguments[0].startswith("-"):
        return Path(arguments[0]), arguments[1:]
    command = usage.partition(" ")[0]
    if {"-h", "--help"} & set(arguments):
        about = f"quickstudy {usage} --help lists the settings of that run, too."
        parse(flags_of(options()), ["--help"], prog=f"quickstudy {usage}", description=about)
    raise BadInput(f"name the run first: quickstudy {command} RUN, its folder or an exported file")


def elsewhere_in_tests(recipe: Recipe, problem: Problem) -> dict[str, str]:
    """Flags that a test does not read, and why."""
    found = elsewhere(recipe, problem, recipe.method)
    trained = [*flags_of(recipe.problem), *flags_of(recipe.method), *flags_of(recipe.budget)]
    found |= {f.spelled: "it is a setting of the training, and stays as trained" for f in trained}
    found["data"] = (
        f"{problem.name} reads no folder of data; to test on a folder of images of your own, give "
        "it as the problem: --on FOLDER"
    )
    return found
