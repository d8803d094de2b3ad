"""Runs that were tested on the same tasks, by their paired differences. Needs no JAX."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from quickstudy.errors import BadInput
from quickstudy.evaluation.estimates import Estimate, PairedDifference
from quickstudy.experiments.contents import same_contents
from quickstudy.experiments.metrics import ERRORS, spoken, written, written_difference
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.problems.own_digest import may_be_one
from quickstudy.experiments.result import Result
from quickstudy.experiments.result_files import evaluations, read_result
from quickstudy.experiments.sections import Grid

TASKS = ("first_tasks", "listed_tasks")
"""Settings that are names of tasks, by `own_digest`."""


@dataclass(frozen=True)
class Tested:
    """A test of a run.

    Attributes:
        named: the run or the file, as the user wrote it.
        file: the evaluation-*.json.
        result: what it holds.
    """

    named: str
    file: Path
    result: Result

    @property
    def label(self) -> str:
        """The run; and which of its tests, where it is not the run's own."""
        test = self.file.stem.removeprefix("evaluation-")
        whole = Path(self.named) == self.file or test == self.result.split
        return self.named if whole else f"{self.named} ({test})"

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.file.parent

    @property
    def estimate(self) -> Estimate:
        """The mean of the scores, with its interval."""
        return Estimate.of(np.array(self.result.scores))


@dataclass(frozen=True)
class Comparison:
    """Tests on the same tasks.

    Attributes:
        tests: in the order of the command, two or more.
    """

    tests: Sequence[Tested]

    @property
    def metric(self) -> str:
        """What is compared."""
        return self.tests[0].result.metric

    def pairs(self) -> list[PairedDifference]:
        """Of each test after the first, its scores less those of the first."""
        first, *others = (test.result.scores for test in self.tests)
        return [PairedDifference.of(scores, first) for scores in others]

    def grid(self) -> Grid:
        """A row for each test."""
        told = []
        for pair in self.pairs():
            won = " / ".join(map(str, self._won(pair)))
            told.append((written_difference(pair.difference, self.metric), won))
        rows = [
            (test.label, test.result.recipe, written(test.estimate, self.metric), *more)
            for test, more in zip(self.tests, [("", ""), *told], strict=True)
        ]
        name = measured(self.metric)
        head = ("run", "recipe", name, "difference to the first", "better / equal / worse")
        return Grid(rows, head)

    def facts(self) -> list[str]:
        """On which tasks, and what the figures are."""
        first = self.tests[0].result
        less = "; less is better" if self.metric in ERRORS else ""
        return [
            f"the same {len(first.scores):,} {first.split} tasks of {first.data} for all{less}",
            "mean and 95 % interval over tasks; in how many tasks a run is better than the first",
        ]

    def to_json(self) -> dict[str, Any]:
        """The tasks, and of each run its mean and its difference to the first."""
        runs: list[dict[str, Any]] = [
            {"run": test.named, "file": str(test.file), "recipe": test.result.recipe}
            | asdict(test.estimate)
            for test in self.tests
        ]
        for run, pair in zip(runs[1:], self.pairs(), strict=True):
            better, equal, worse = self._won(pair)
            run["difference"] = asdict(pair.difference)
            run |= {"better": better, "equal": equal, "worse": worse}
        first = self.tests[0].result
        return {"metric": self.metric, "data": first.data, "tasks": dict(first.tasks), "runs": runs}

    def _won(self, pair: PairedDifference) -> tuple[int, int, int]:
        """In how many tasks a run is better than the first, equal and worse."""
        if self.metric in ERRORS:
            return pair.lower, pair.equal, pair.higher
        return pair.higher, pair.equal, pair.lower


def compared(paths: Sequence[Path]) -> Comparison:
    """The tests of two runs or more on the same tasks.

    Of a run's folder it is the test that its page is about, or another on the tasks of the first.

    Args:
        paths: of runs, or of their evaluation-*.json files.

    Raises:
        BadInput: a run was not tested, or not on the tasks of the first; it says what differs,
            and which command tests it on those.
        CheckpointError: a file is damaged.
    """
    mine, *others = (_tests(path) for path in paths)
    for first in mine:
        found = [_same(first, tests) for tests in others]
        if None not in found:
            return Comparison([first, *(one for one in found if one is not None)])
    first = mine[0]
    unequal = next(tests[0] for tests in others if _same(first, tests) is None)
    raise BadInput(_unequal(first, unequal))


def measured(metric: str) -> str:
    """What scores are, in words.

    Example:
        >>> measured("return"), measured("squared_error")
        ('reward', 'squared error')
    """
    return "reward" if metric == "return" else spoken(metric)


def _tests(path: Path) -> list[Tested]:
    """The tests that a path stands for, the run's own first."""
    if path.is_dir():
        chief, others = evaluations(path)
        # By length: a short name says that little was asked for that is not the run's own.
        files = [chief, *sorted(others.values(), key=lambda file: len(file.name))]
    else:
        files = [path]
    found = [Tested(str(path), file, one) for file in files if (one := read_result(file))]
    if not found:
        if path.is_dir():
            raise BadInput(f"{path} was not tested yet; run: {_command(path)}")
        raise BadInput(f"there is no {path}; give a run's folder, or an evaluation-*.json of one")
    whole = [one for one in found if one.result.scores and one.result.tasks]
    if not whole:
        run = found[0].run
        raise BadInput(
            f"{found[0].file} is of an older version and has no score of each task; to test the "
            f"run anew: {_command(run)}"
        )
    return whole


def _same(first: Tested, tests: Sequence[Tested]) -> Tested | None:
    """The first of a run's tests that is on the tasks of another's."""
    mine = first.result
    for test in tests:
        if not _changed(first, test) and test.result.metric == mine.metric:
            return test
    return None


def _changed(first: Tested, other: Tested) -> list[str]:
    """The names of what decides the tasks of two tests, where it differs: the first's own, and
    those that the other has besides."""
    wanted, given = _settings(first), _settings(other)
    names = [*wanted, *(name for name in given if name not in wanted)]
    pairs = {name: (wanted.get(name), given.get(name)) for name in names}
    return [n for n in names if not _alike(n, *pairs[n]) or (n in wanted) != (n in given)]


def _alike(name: str, wanted: Any, given: Any) -> bool:
    if wanted == given or not (isinstance(wanted, str) and isinstance(given, str)):
        return wanted == given
    if name == "contents":
        return same_contents(wanted, given)
    return name in TASKS and may_be_one(wanted, given)


def _unequal(first: Tested, other: Tested) -> str:
    """What differs, and how the other is tested on the first's tasks."""
    units = [measured(one.result.metric) for one in (first, other)]
    if units[0] != units[1]:
        return (
            f"{first.file} holds {units[0]} and {other.file} {units[1]}, which cannot be compared; "
            "give runs that learn the same problem"
        )
    wanted, given = _settings(first), _settings(other)
    names = _changed(first, other)
    changed = {name: wanted[name] for name in names if name in wanted}
    told = [f"{n} {given.get(n, 'none')} instead of {wanted.get(n, 'none')}" for n in names]
    said = f"{other.file} is not on the tasks of {first.file}: {', '.join(told)}"
    known = _flags(first)
    flags = {name: value for name, value in changed.items() if name in known}
    # What the problem alone decides comes with `--on`. Without it, a test has the settings that it
    # has, and no others.
    decided = "on" in flags and _tests_all(first)
    if not decided and (set(changed) - set(flags) or set(wanted) != set(given)):
        return f"{said}. No flag of `quickstudy evaluate` changes that; compare runs with the same"
    return f"{said}. To test it on those: {_command(other.run, flags)}"


def _settings(test: Tested) -> dict[str, Any]:
    """Everything that decides the tasks, by name."""
    own = dict(test.result.tasks)
    settings = own.pop("settings", {})
    return {**own, **settings}


def _tests_all(test: Tested) -> bool:
    """Whether `--on` gives another run the classes of this test: on data of one's own it gives
    all of them, and a run's own test has those that were not trained on."""
    wanted = _settings(test)
    if "classes" not in wanted:
        return True
    problem: Any = find_problem(str(wanted["on"]))
    every = replace(problem, test=problem.names()).test_tasks("test")["settings"]
    return every["classes"] == wanted["classes"]


def _flags(test: Tested) -> set[str]:
    """The names of what `evaluate` can set to have the tasks of this test."""
    try:
        problem = find_problem(str(test.result.tasks.get("on")))
    except BadInput:  # code of the user's own, or data that are not here
        return {"split", "episodes"}
    return {"on", "split", "episodes", "updates", *problem.at_test}


def _command(run: Path, flags: Mapping[str, Any] | None = None) -> str:
    words = [str(run)]
    for name, value in (flags or {}).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return f"quickstudy evaluate {shlex.join(words)}"
