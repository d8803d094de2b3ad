"""The curves of a report: training, adaptation, and one regression before and after."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quickstudy.app.report.figures import Fit
from quickstudy.app.report.markup import Html
from quickstudy.app.report.svg import Axis, Series, chart
from quickstudy.evaluation.tasks import Estimate, Evaluation

MOST_POINTS = 150
"""The most points of a training curve: more would be a blot."""


def training(metrics: Sequence[dict[str, Any]], trained_on: str = "") -> Html:
    """Loss, and the metric in training and validation, against steps.

    Args:
        metrics: the lines of metrics.jsonl, at least one.
        trained_on: what training tasks were, for example "20-way".
    """
    metric = metric_of(metrics)
    loss, trained = thinned(metrics, "loss"), thinned(metrics, metric)
    tested = thinned(metrics, f"validation_{metric}", most=len(metrics))
    kind = f"training ({trained_on})" if trained_on else "training"
    charts = []
    if loss[0] and loss != trained:  # for regression they are one and the same
        charts.append(_against_steps([Series("training", *loss)], "loss"))
    lines = [Series(kind, *trained), Series("validation", *tested, style="marked", colour=1)]
    if any(line.x for line in lines):
        charts.append(_against_steps([line for line in lines if line.x], metric))
    return _side_by_side(charts)


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


def adaptation(evaluation: Evaluation, shots: Mapping[int, Estimate]) -> Html:
    """The metric against inner steps (or before and after), and against shots."""
    metric = evaluation.metric
    path = {str(k): estimate for k, estimate in enumerate(evaluation.path)}
    ends = {"before": evaluation.before, "after": evaluation.after}
    charts = [_estimates(path or ends, metric, "inner steps" if path else "adaptation")]
    if shots:
        named = {str(k): estimate for k, estimate in shots.items()}
        of_class = metric == "accuracy"
        label = "support examples per class" if of_class else "support points"
        charts.append(_estimates(named, metric, label))
    return _side_by_side(charts)


def regression(fit: Fit) -> Html:
    """The truth, the support points, and the predictions; those that run away leave the picture."""
    xs = fit.x.tolist()
    lines = [Series("truth", xs, fit.truth.tolist(), style="dashed", colour=4)]
    lines += [
        Series(name, xs, values.tolist(), colour=i)
        for i, (name, values) in enumerate(fit.curves.items())
    ]
    lines.append(Series("support points", *fit.support.tolist(), style="dots", colour=4))
    highest = max(1.0, float(abs(fit.truth).max()))
    drawn = [abs(v) for values in fit.curves.values() for v in values.tolist() if math.isfinite(v)]
    reach = 1.05 * min(max([highest, *drawn]), 2.5 * highest)
    title = "One test task: what is predicted before and after adaptation"
    return _side_by_side([chart(lines, Axis("x"), Axis("y", (-reach, reach)), title)])


def _estimates(values: Mapping[str, Estimate], metric: str, label: str) -> str:
    percent = 100 if metric == "accuracy" else 1
    means = [percent * value.mean for value in values.values()]
    bars = [percent * value.interval for value in values.values()]
    line = Series("mean and 95 % interval over tasks", range(len(means)), means, bars, "marked")
    title = f"{_sentence(metric)} against {label}"
    x = Axis(label, (-0.3, len(means) - 0.7), names=tuple(values))
    return chart([line], x, _heights(metric, means), title)


def _against_steps(lines: list[Series], metric: str) -> str:
    if metric == "accuracy":
        lines = [
            Series(one.label, one.x, [100 * v for v in one.y], style=one.style, colour=one.colour)
            for one in lines
        ]
    values = [v for one in lines for v in one.y]
    steps = Axis("steps", (0, max(max(one.x) for one in lines)))
    return chart(lines, steps, _heights(metric, values), _sentence(metric))


def _heights(metric: str, values: Iterable[float]) -> Axis:
    """Accuracies from 0 to 100 %, and errors on a logarithmic axis where they differ widely."""
    if metric == "accuracy":
        return Axis("accuracy, %", (0, 100))
    finite = [v for v in values if math.isfinite(v)]
    wide = bool(finite) and min(finite) > 0 and max(finite) / min(finite) > 30
    return Axis(metric.replace("_", " "), log=wide)


def _sentence(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _side_by_side(charts: Iterable[str]) -> Html:
    return Html(f'<div class="charts">{"".join(charts)}</div>')
