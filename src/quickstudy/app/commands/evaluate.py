"""`quickstudy evaluate RUN`: many tasks never seen in training, with tables and pictures."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from quickstudy.app.flags import Flag, demand_read, flags_of, parse, value_of, values_of
from quickstudy.app.pairing import demand_useful
from quickstudy.app.running import demand_data, elsewhere_in_tests, first_argument
from quickstudy.errors import BadInput, CheckpointError, demand_counts
from quickstudy.experiments.family import HostProblem
from quickstudy.experiments.method import Test
from quickstudy.experiments.problem import Problem, Source
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.recipe import Recipe
from quickstudy.runs import LEARNER


@dataclass(frozen=True)
class EvaluateOptions:
    """How a trained run is tested."""

    on: str | None = None
    """Another problem to draw the tasks from: a name from `quickstudy problems`, a folder of
    images, an .npz file, or PATH.py:NAME."""
    split: Literal["test", "validation", "train"] = "test"
    """Which classes or MDPs to draw the tasks from."""
    episodes: int | None = None
    """How many tasks; the protocol's own number by default. The files of another number are named
    by it."""
    data: str | None = None
    """The folder that holds the data set; QUICKSTUDY_DATA by default."""
    recipe: tuple[str, ...] = ()
    """PATH.py:NAME of the code of your own that the run was made with; several, if it is
    in several files."""
    curves: bool = True
    """Also measure 1, 2, 3, 5 and 10 shots."""
    greedy: bool = False
    """Always take the policy's likeliest action, where training and tests draw one."""


ABOUT = "Test a trained run again, perhaps on other data."


def main(arguments: list[str]) -> None:
    """Parse and run."""
    run, rest = first_argument(arguments, "evaluate RUN", EvaluateOptions, ABOUT)
    from quickstudy.experiments.saved import load_recipe

    recipe = load_recipe(run, values_of("recipe", rest))
    problem = _problem(recipe, value_of("on", rest))
    moved = f"name where they are now, or other data: quickstudy evaluate {run} --on PATH"
    demand_data(problem, moved)
    flags = _flags(recipe, problem)
    demand_read(flags, rest, elsewhere_in_tests(recipe, problem))
    values = parse(flags, rest, prog=f"quickstudy evaluate {run}", description=_about(recipe))
    options = EvaluateOptions(**{f.name: values.pop(f.name) for f in _own(problem, recipe)})
    asked = {name: value for name, value in values.items() if value is not None}
    counts = {"episodes": options.episodes, **asked}
    counts = {name: n for name, n in counts.items() if not _may_be_0(recipe, problem, name)}
    named = {f"--{name.replace('_', '-')}": n for name, n in counts.items()}
    demand_counts(**{name: n for name, n in named.items() if isinstance(n, int)})
    problem = problem.changed({flag: v for flag, v in asked.items() if flag in problem.at_test})
    demand_useful(problem, flags, rest)
    _evaluate(run, recipe, problem, (options, asked))


def _evaluate(
    run: Path, recipe: Recipe, problem: Problem, given: tuple[EvaluateOptions, dict[str, Any]]
) -> None:
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    from quickstudy.experiments.saved import opened

    options, asked = given
    recipe, learned = opened(run, options.recipe)
    own = {name: value for name, value in asked.items() if name in recipe.method.at_test}
    method, learned = recipe.method.retested(learned, problem, own)
    changed = replace(recipe, problem=problem, method=method)
    asked_for = (options.split, options.episodes, options.curves, Source(options.data))
    test = Test(recipe.name, *asked_for, acts="greedy" if options.greedy else "drawn")
    name = _named(asked, options, method.own_episodes(problem))
    folder = run if run.is_dir() else run.parent
    if not run.is_dir() and run.name != LEARNER:
        name = [*name, f"of-{run.stem}"]  # a folder may hold several exported files
    evaluate_and_write(changed, learned, test, folder, name)


def evaluate_and_write(
    recipe: Recipe, learned: Any, test: Test, folder: Path, named: Sequence[str] = ()
) -> Any:
    """Evaluate, print the table, and leave JSON and pictures in the folder.

    Args:
        recipe: of what was learned.
        learned: the learner or policy.
        test: what is asked for.
        folder: for the files.
        named: what names the files, beside the split.
    """
    from rich.console import Console

    from quickstudy.app.report.plots import save_charts, task_figure
    from quickstudy.experiments.pictures.watch import save_png
    from quickstudy.writing import write_json

    result = recipe.evaluate(learned, test)
    Console().print(result.table(folder))
    name = _unlike(folder, "-".join([test.split, *named]), result)
    write_json(folder / f"evaluation-{name}.json", result.to_json())
    save_charts(result.charts(), result.headline.said, folder / f"evaluation-{name}.png")
    if (images := recipe.method.first_task(recipe.seen, learned, test)) is not None:
        save_png(task_figure(images), folder / f"episode-{name}.png")
    return result


def _problem(recipe: Recipe, on: str | None) -> Problem:
    """What is tested on: the run's own problem, or another with tests of the same shape.

    Raises:
        BadInput: it has other inputs than what was trained reads.
    """
    if on is None:
        return recipe.problem
    other = find_problem(on).tested_as(recipe.problem)
    mine, theirs = recipe.seen.reads(), recipe.method.seen(other).reads()
    if mine != theirs:
        raise BadInput(
            f"--on {on} has {theirs}, and {recipe.name} was trained on {mine}; name a problem of "
            "that kind"
        )
    recipe.method.check(other)
    for line in other.tested_notes():
        print(line, file=sys.stderr)
    return other


def _own(problem: Problem, recipe: Recipe) -> list[Flag]:
    hidden = set() if problem.reads_folder else {"data"}
    hidden |= set() if "shots" in problem.at_test else {"curves"}
    hidden |= set() if recipe.method.acts_greedily else {"greedy"}
    return flags_of(EvaluateOptions(), hidden)


def _flags(recipe: Recipe, problem: Problem) -> list[Flag]:
    """What can be asked for: settings of a test's tasks, and those of how it adapts."""
    found = []
    mine = {flag.name: flag for flag in flags_of(problem)}
    unread = recipe.method.unread()
    for flag, field in problem.at_test.items():
        if field not in unread:
            found.append(_asked(mine[field], flag))
    method = {flag.name: flag for flag in flags_of(recipe.method)}
    found += [_asked(method[name], name) for name in recipe.method.at_test if name in method]
    return [*found, *_own(problem, recipe)]


def _may_be_0(recipe: Recipe, problem: Problem, flag: str) -> bool:
    """Whether 0 says something, as in a setting whose own default it is."""
    return 0 in (
        getattr(type(recipe.method), flag, None),
        getattr(type(problem), problem.at_test.get(flag, flag), None),
    )


def _asked(flag: Flag, name: str) -> Flag:
    """The flag of a setting that stays as it was in training unless another is asked for."""
    return Flag(name, flag.hint | None, f"{flag.help} As trained: {flag.default}.", None)


def _named(asked: dict[str, Any], options: EvaluateOptions, usual: int) -> list[str]:
    """Names what was asked for, so that one result never replaces another kind's.

    Args:
        asked: other settings than those of the training.
        options: of the command.
        usual: how many tasks there are by default, which need not be named.
    """
    words = {"ways": "way", "shots": "shot", "queries": "query", "size": "cells"}
    parts = [
        f"{value}-{words.get(name, name.replace('_', '-'))}"
        for name, value in asked.items()
        # How environments are stepped changes no result.
        if name not in HostProblem.stepping
    ]
    if options.episodes not in (None, usual):
        parts.append(f"{options.episodes}-episodes")
    if options.greedy:
        parts.append("greedy")
    if options.on is None:
        return parts
    on = options.on.rstrip("/").rpartition("/")[2].replace(".py:", "-")
    return [*parts, f"on-{on}"]


def _unlike(folder: Path, name: str, result: Any) -> str:
    """The name, told apart from that of a result on other data of the same file name."""
    from quickstudy.experiments.result_files import read_json

    try:
        there = read_json(folder / f"evaluation-{name}.json")
    except CheckpointError:  # it is written anew
        return name
    tasks, on = there.get("tasks", {}) if isinstance(there, dict) else {}, result.tasks["on"]
    if tasks.get("on", on) == on:
        return name
    digest = hashlib.sha256(on.encode(errors="surrogatepass")).hexdigest()
    return f"{name}-{digest[:6]}"


def _about(recipe: Recipe) -> str:
    return f"Test a run of {recipe.name} on tasks that it never saw."
