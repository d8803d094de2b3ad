"""Metrics of a training against its steps, as charts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quickstudy.experiments.metrics import metric_axis, scale, spoken
from quickstudy.experiments.sections import Axis, Chart, Line

MOST_POINTS = 150
"""The most points of a training curve: more would be a blot."""
WATCHED = {
    "return": ("Reward of a trial", "reward", 1.0),
    "entropy": ("Entropy of the policy", "nats", 1.0),
    "kl": ("KL divergence of an update", "10⁻³ nats", 1e3),
    "accepted": ("Steps that the trust region accepted", "share", 1.0),
    "value_error": ("Squared error of the value, halved", "variances", 1.0),
}
"""What a policy's training is watched by: what it is called, its unit, and how many of these make
one."""


def training_charts(
    metrics: Sequence[dict[str, Any]],
    trained_on: str = "",
    titles: Mapping[str, str] | None = None,
) -> list[Chart]:
    """Of a policy what it is watched by; of a learner the loss and the metric.

    Args:
        metrics: the lines of metrics.jsonl.
        trained_on: what training tasks were, if not as in validation: "20-way", for example.
        titles: of charts, by the metric's name, where they are not those of `WATCHED`.
    """
    found = {name.removeprefix("validation_") for line in metrics for name in line}
    kind = f"training ({trained_on})" if trained_on else "training"
    if watched := [name for name in WATCHED if name in found]:
        charts = []
        for name in watched:
            title, unit, many = WATCHED[name]
            lines = _lines(metrics, name, kind, many)
            charts.append(_against_steps((titles or {}).get(name, title), Axis(unit), lines))
        return charts
    metric = metric_of(metrics)
    # For regression loss and metric are one and the same.
    names = [metric] if _same(metrics, "loss", metric) else ["loss", metric]
    charts = [_of_learner(metrics, name, kind) for name in names]
    return [chart for chart in charts if chart.lines]


def metric_of(metrics: Iterable[dict[str, Any]]) -> str:
    """What validation measured; before the first one, what training did.

    Example:
        >>> metric_of([{"loss": 1.0}, {"validation_score": -2.0, "validation_squared_error": 2.0}])
        'squared_error'
    """
    names = {name: None for line in metrics for name in line}
    for name in names:
        if name.startswith("validation_") and name != "validation_score":
            return name.removeprefix("validation_")
    return next((name for name in ("accuracy", "squared_error") if name in names), "loss")


def thinned(
    metrics: Sequence[dict[str, Any]], name: str, most: int = MOST_POINTS
) -> tuple[list[int], list[float]]:
    """Steps and means over the steps before them, about `most` of them at most.

    A line of the metrics is itself a mean over the steps since the line before, and weighs
    as many.

    Example:
        >>> thinned([{"step": 1, "a": 0.0}, {"step": 4, "a": 4.0}, {"step": 8, "a": 5.0}], "a", 2)
        ([4, 8], [3.0, 5.0])
    """
    lines = [(line["step"], line[name]) for line in metrics if name in line]
    steps, means = [], []
    before, weight, total = 0, 0, 0.0
    for step, value in lines:
        weight, total, before = weight + step - before, total + value * (step - before), step
        if weight * most >= lines[-1][0] or step == lines[-1][0]:
            steps.append(step)
            means.append(total / weight)
            weight, total = 0, 0.0
    return steps, means


def _of_learner(metrics: Sequence[dict[str, Any]], name: str, kind: str) -> Chart:
    lines = _lines(metrics, name, kind, scale(name))
    values = [height for line in lines for height in line.y]
    return _against_steps(spoken(name).capitalize(), metric_axis(name, values), lines)


def _against_steps(title: str, y: Axis, lines: list[Line]) -> Chart:
    last = max((line.x[-1] for line in lines), default=1)
    return Chart(title, Axis("steps", (0, last)), y, lines)


def _same(metrics: Sequence[dict[str, Any]], one: str, other: str) -> bool:
    return thinned(metrics, one) == thinned(metrics, other)


def _lines(metrics: Sequence[dict[str, Any]], name: str, kind: str, many: float) -> list[Line]:
    """A metric in training and in validation, where there are any."""
    steps, values = thinned(metrics, name)
    tested, heights = thinned(metrics, f"validation_{name}", most=len(metrics))
    lines = [
        Line(kind, steps, [many * value for value in values]),
        Line("validation", tested, [many * value for value in heights], style="marked", colour=1),
    ]
    return [line for line in lines if line.x]
