"""What a learner that reads examples reached: before, along and after adaptation, and by shots."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import Evaluation
from quickstudy.experiments.metrics import metric_axis, scale, spoken, written
from quickstudy.experiments.result import Result, about
from quickstudy.experiments.sections import (
    Axis,
    Chart,
    Grid,
    Headline,
    Line,
    Note,
    Section,
    Strong,
)

HARDEST = 5
"""How many of the least accurate classes a page names."""


@dataclass(frozen=True)
class LearnerResult(Result):
    """An evaluation of a learner.

    Attributes:
        evaluation: of `quickstudy.evaluate`.
        shots: an estimate after adaptation for each number of support examples, if measured.

    Example:
        >>> found = Evaluation("accuracy", Estimate(0.9, 0.01), Estimate(0.2, 0.0), (), 100, False)
        >>> LearnerResult(found, recipe="maml", data="glyphs", split="test").headline.figure
        '90.00 ± 1.00 %'
    """

    evaluation: Evaluation
    shots: Mapping[int, Estimate] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        """Accuracy, or an error."""
        return self.evaluation.metric

    @property
    def scores(self) -> tuple[float, ...]:
        """After adaptation."""
        return self.evaluation.scores

    @property
    def headline(self) -> Headline:
        """After adaptation."""
        found = self.evaluation
        said = f"{spoken(found.metric)} on {found.episodes:,} {self.split} tasks of {self.data}"
        return Headline(written(found.after, found.metric), f"{said}: mean and 95 % interval")

    def rows(self) -> Grid:
        """Before and after adaptation."""
        found, name = self.evaluation, spoken(self.evaluation.metric)
        before, after = (written(each, found.metric) for each in (found.before, found.after))
        return Grid(
            [
                (f"{name} before adaptation", before),
                (f"{name} after adaptation", Strong(after)),
                ("", "mean and 95 % interval over tasks"),
            ]
        )

    def facts(self) -> list[tuple[str, str]]:
        """How many tasks, whether queries see each other, and what probabilities are worth."""
        found = self.evaluation
        facts = [("tasks", f"{found.episodes:,}"), ("transductive", _transductive(found))]
        if found.ece is not None:
            facts.append(("calibration error (ECE)", f"{100 * found.ece:.2f} %"))
        return facts

    def charts(self) -> list[Chart]:
        """The metric against inner steps, or before and after; and against shots."""
        found = self.evaluation
        if found.path:
            path, label = {str(k): each for k, each in enumerate(found.path)}, "inner steps"
        else:
            path, label = {"before": found.before, "after": found.after}, "adaptation"
        charts = [_estimates(path, found.metric, label)]
        if self.shots:
            of_class = found.metric == "accuracy"
            label = "support examples per class" if of_class else "support points"
            named = {str(k): each for k, each in sorted(self.shots.items())}
            charts.append(_estimates(named, found.metric, label))
        return charts

    def sections(self) -> list[Section]:
        """The curves of adaptation, above the figures; and the classes that are hardest."""
        facts = Grid([*self.rows().rows, *self.facts()])
        return [Section("Adaptation", [*self.charts(), facts]), *_hardest(self.evaluation)]

    def compared(self, others: Mapping[str, Result]) -> Grid:
        """After adaptation, and on which tasks."""
        rows = [
            (name, written(e.after, e.metric), other.data, f"{e.episodes:,}", _transductive(e))
            for name, other in others.items()
            if isinstance(other, LearnerResult) and (e := other.evaluation)
        ]
        head = ("other evaluation", "after adaptation", "data", "tasks", "transductive")
        return Grid(rows, head)

    def to_json(self) -> dict[str, Any]:
        """The evaluation's fields, and "shots"."""
        shots = {str(k): dataclasses.asdict(each) for k, each in self.shots.items()}
        return {**self.noted(), **self.evaluation.to_json(), "shots": shots}

    @classmethod
    def from_json(cls, value: dict[str, Any], **missing: Any) -> "LearnerResult":
        """What `to_json` wrote, or version 0.1."""
        shots = {int(k): Estimate.from_json(one) for k, one in value.get("shots", {}).items()}
        return cls(Evaluation.from_json(value), shots, **about(value, missing))


def _estimates(values: Mapping[str, Estimate], metric: str, label: str) -> Chart:
    means: Sequence[float] = [scale(metric) * each.mean for each in values.values()]
    bars = [scale(metric) * each.interval for each in values.values()]
    line = Line("mean and 95 % interval over tasks", range(len(means)), means, bars, "marked")
    x = Axis(label, (-0.3, len(means) - 0.7), names=tuple(values))
    title = f"{spoken(metric).capitalize()} against {label}"
    return Chart(title, x, metric_axis(metric, means), [line])


def _hardest(found: Evaluation) -> list[Section]:
    if not found.classes:
        return []
    said = Note(
        f"The classes with the lowest accuracy, of {len(found.classes):,}; the evaluation's JSON "
        "file has all."
    )
    rows = [
        (one.name, f"{100 * one.accuracy:.1f} %", f"{one.answers:,}")
        for one in found.classes[:HARDEST]
    ]
    return [Section("Hardest classes", [said, Grid(rows, ("class", "accuracy", "queries"))])]


def _transductive(found: Evaluation) -> str:
    return "yes: queries see each other" if found.transductive else "no: inductive"
