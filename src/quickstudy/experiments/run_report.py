"""Everything that is told of a run, as the sections of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quickstudy.experiments.metrics import spoken
from quickstudy.experiments.result import Result
from quickstudy.experiments.sections import Cell, Grid, Linked, Note, Section, Strong
from quickstudy.experiments.training_curves import metric_of, training_charts


@dataclass(frozen=True)
class RunReport:
    """A run as its folder tells it.

    Attributes:
        run: its folder, as the user wrote it.
        recipe: the recipe's name.
        about: what the recipe says of itself: "must reach", "source" ...
        settings: name, value and default of every setting.
        environment: of the run's environment.json.
        metrics: of the run's metrics.jsonl.
        result: on test tasks, if it was measured.
        others: further results of the run, by name.
        pictures: sections that show what was learned, or why there is nothing to show.
        trained_on: what training tasks were, if not as in validation: "20-way", for example.
        titles: of charts of the training, by the metric's name, where they are not the usual.

    Example:
        >>> report = RunReport("runs/a", "maml-<x>", {}, [("steps", 10, 10)], {}, [])
        >>> [section.title for section in report.sections()]
        ['maml-<x>', 'Training', 'Settings', 'Cost and machine']
    """

    run: str
    recipe: str
    about: Mapping[str, str]
    settings: Sequence[tuple[str, Any, Any]]
    environment: Mapping[str, Any]
    metrics: Sequence[dict[str, Any]]
    result: Result | None = None
    others: Mapping[str, Result] = field(default_factory=dict)
    pictures: Sequence[Section] = ()
    trained_on: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)

    def sections(self) -> list[Section]:
        """The whole page; the title of the first is the page's."""
        return [
            self._head(),
            *(self.result.sections() if self.result else []),
            *self._other_results(),
            *self.pictures,
            Section("Training", self._training()),
            Section("Settings", settings_blocks(self.settings)),
            Section("Cost and machine", [Grid(self._cost())]),
        ]

    def _head(self) -> Section:
        """What was reached, what the recipe says, how long it took, and where it is."""
        if self.result is None:
            evaluate = f"quickstudy evaluate {self.run}"
            top = Note("Not tested on unseen tasks yet. To test:", evaluate)
        else:
            top = self.result.headline
        machine = self.environment.get("machine", {})
        seconds = [line["seconds"] for line in self.metrics if "seconds" in line]
        rows: list[tuple[str, Cell]] = [
            *best_validation(self.metrics),
            *((name, Linked(text)) for name, text in self.about.items()),
            ("trained for", duration(seconds[-1]) if seconds else "unknown"),
            (
                "machine",
                f"{machine.get('processor', 'unknown')}, {machine.get('cores', '?')} cores",
            ),
            ("commit", self.environment.get("commit") or "unknown"),
            ("folder", self.run),
        ]
        return Section(self.recipe, [top, Grid(rows)])

    def _other_results(self) -> list[Section]:
        if not self.others:
            return []
        # Without a result of its own, a run may have been tested on other data.
        kind = self.result or next(iter(self.others.values()))
        return [Section("Other evaluations", [kind.compared(self.others)])]

    def _training(self) -> list[Any]:
        """The curves, and how to continue where training stopped before its end."""
        if not self.metrics:
            return [Note("There are no curves: metrics.jsonl is empty or missing.")]
        charts = training_charts(self.metrics, self.trained_on, self.titles)
        planned, last = self._setting("steps", 0), self.metrics[-1]["step"]
        if last >= planned:
            return charts
        said = f"Stopped at step {last:,} of {planned:,}. To continue:"
        return [*charts, Note(said, f"quickstudy train --resume {self.run}")]

    def _setting(self, name: str, default: Any = None) -> Any:
        return {name: value for name, value, _ in self.settings}.get(name, default)

    def _cost(self) -> list[tuple[str, Cell]]:
        """Steps, seconds, tasks per second, and the machine."""
        timed = [line for line in self.metrics if "seconds" in line]
        rows: list[tuple[str, Cell]] = []
        if timed:
            first, last = timed[0], timed[-1]
            steps, start = last["step"] - first["step"], duration(first["seconds"])
            rows += [("steps", f"{last['step']:,}"), ("total time", duration(last["seconds"]))]
            rows.append((f"until step {first['step']:,}, with compilation", start))
            if steps:
                each = (last["seconds"] - first["seconds"]) / steps
                rows.append(("a step after that, with validation", f"{each:.3g} s"))
                batch = self._setting("meta_batch")
                if batch and each:
                    rows.append(("tasks per second", f"{batch / each:,.3g}"))
        return rows + _flat(self.environment)


def settings_blocks(settings: Sequence[tuple[str, Any, Any]]) -> list[Any]:
    """Every setting beside its default; those that differ stand out."""
    rows = [
        (name, Strong(str(value)) if value != default else str(value), str(default))
        for name, value, default in settings
    ]
    changed = any(value != default for _, value, default in settings)
    said = "Bold: not the default." if changed else "All settings have their defaults."
    return [Grid(rows, ("setting", "value", "default")), Note(said)]


def best_validation(metrics: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What the learner that was kept reached in validation, and when; nothing before the first.

    Example:
        >>> best_validation([{"step": 5, "validation_score": 0.5, "validation_accuracy": 0.5}])
        [('best in validation', 'accuracy 50.00 % at step 5')]
    """
    lines = [line for line in metrics if "validation_score" in line]
    if not lines:
        return []
    best, name = max(lines, key=lambda line: line["validation_score"]), metric_of(metrics)
    value = best[f"validation_{name}"]
    shown = f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.4g}"
    return [("best in validation", f"{spoken(name)} {shown} at step {best['step']:,}")]


def duration(seconds: float) -> str:
    """A time as a person says it.

    Example:
        >>> duration(3.14), duration(75), duration(7265)
        ('3.1 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Cell]]:
    """Names and values of nested dictionaries."""
    rows: list[tuple[str, Cell]] = []
    for name, inner in value.items():
        if isinstance(inner, dict):
            rows += _flat(inner, f"{prefix}{name} ")
        else:
            shown = ", ".join(map(str, inner)) if isinstance(inner, list) else inner
            rows.append((prefix + name, "unknown" if shown is None else str(shown)))
    return rows
