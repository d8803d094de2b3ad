"""What a run reached on tasks never seen in training, and on which data that was."""

import abc
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from quickstudy.experiments.sections import Chart, Grid, Headline, Section, Strong

UNNAMED = "data that the file does not name"
"""What version 0.1 measured on, where its file does not say it."""
SHAPE = ("ways", "shots", "queries")
"""The flags that give test tasks another shape than the recipe's."""


@dataclass(frozen=True, kw_only=True)
class Result(abc.ABC):
    """One evaluation: as a table, as JSON, as sections of a page and as charts.

    Attributes:
        recipe: the name of the recipe that was trained.
        data: what it was measured on, for example "omniglot (snell2017), 5-way 1-shot".
        split: "train", "validation" or "test": which part of the data.
        options: of the evaluation, for the file alone.
        tasks: what decides the tasks; empty in a file of an older version. Two results with equal
            ones are of the same tasks in the same order.
    """

    recipe: str
    data: str
    split: str
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: Mapping[str, Any] = field(default_factory=dict)

    @property
    @abc.abstractmethod
    def metric(self) -> str:
        """What the scores are, as `quickstudy.experiments.metrics` writes it."""

    @property
    @abc.abstractmethod
    def scores(self) -> tuple[float, ...]:
        """Of each task; empty in a file of an older version."""

    @property
    @abc.abstractmethod
    def headline(self) -> Headline:
        """The figure that counts."""

    @abc.abstractmethod
    def rows(self) -> Grid:
        """The figures of the table."""

    @abc.abstractmethod
    def facts(self) -> list[tuple[str, str]]:
        """How it was measured: names and values."""

    @abc.abstractmethod
    def charts(self) -> list[Chart]:
        """For the figure beside the JSON file."""

    @abc.abstractmethod
    def sections(self) -> list[Section]:
        """For a page."""

    @abc.abstractmethod
    def compared(self, others: "Mapping[str, Result]") -> Grid:
        """Other evaluations of the same run, by name."""

    def beside_others(self, others: "Mapping[str, Result]") -> "Result":
        """With the results of other runs drawn beside this one's, where that can be done.

        Args:
            others: by what those runs did otherwise.
        """
        return self

    @abc.abstractmethod
    def to_json(self) -> dict[str, Any]:
        """A dictionary that `quickstudy.writing.write_json` takes."""

    @classmethod
    @abc.abstractmethod
    def from_json(cls, value: dict[str, Any], **missing: Any) -> "Result":
        """The result that `to_json` wrote.

        Args:
            value: the dictionary.
            missing: `recipe`, `data` and `split`, for a file of version 0.1, which holds none of
                them; `data` is what the run was trained on.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is no result.
        """

    def table(self, folder: Path | None = None) -> Table:
        """For a terminal.

        Args:
            folder: where the details are, if they were written.
        """
        grid = self.rows()
        title = Text(f"{self.recipe} on {self.data}, {self.split} tasks")
        table = terminal_table(grid, title=title)
        facts = [*self.facts(), *([("folder", str(folder))] if folder else [])]
        if grid.head:
            table.caption = Text("\n".join(f"{name}: {value}" for name, value in facts))
            return table
        for row in facts:
            table.add_row(*map(_cell, row))
        return table

    def noted(self) -> dict[str, Any]:
        """What the JSON of either kind begins with."""
        about = {"recipe": self.recipe, "data": self.data, "split": self.split}
        return {**about, "options": dict(self.options), "tasks": dict(self.tasks)}


def about(value: dict[str, Any], missing: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Result` in what `Result.noted` wrote; for a file of version 0.1, `missing`."""
    options = value.get("options", {})
    fallback = {"recipe": "", "split": options.get("split", "test"), "data": UNNAMED, **missing}
    if "data" not in value:
        fallback["data"] = _as_asked(fallback["data"], options)
    noted = {"options": options, "tasks": value.get("tasks", {})}
    return noted | {name: value.get(name, fallback[name]) for name in fallback}


def _as_asked(data: str, options: Mapping[str, Any]) -> str:
    """The data of a run, unless its evaluation was asked for other data or other tasks."""
    other = options.get("on")
    shape = [f"--{name} {options[name]}" for name in SHAPE if options.get(name)]
    return "; ".join([f"data of {other}" if other else data, *shape])


def terminal_table(grid: Grid, title: Text | None = None, caption: Text | None = None) -> Table:
    """A grid as a terminal shows it: where it is narrow, names fold and figures stay whole.

    Args:
        grid: without a head it has two columns.
        title: above it.
        caption: below it.
    """
    table = Table(title=title, caption=caption, show_header=bool(grid.head))
    for i, name in enumerate(grid.head or ("", "")):
        # Without a head, a row is of figures or of words.
        figures = bool(grid.head) and any(FIGURE in str(_cell(row[i])) for row in grid.rows)
        heading = textwrap.fill(name, HEADING) if figures else name
        table.add_column(Text(heading), overflow="fold", no_wrap=figures)
    for row in grid.rows:
        table.add_row(*map(_cell, row))
    return table


FIGURE = " ± "
HEADING = 14
"""Letters of a figure: its heading need not be wider."""


def _cell(value: Any) -> Text:
    """A cell of a terminal's table: names may hold brackets, which are no markup here."""
    strong = isinstance(value, Strong)
    return Text(value.text if strong else str(value), style="bold" if strong else "")
