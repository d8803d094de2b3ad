"""Figures from real runs: the adaptation curve, and one task as images."""

from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from quickstudy.checkpoint import write_atomically
from quickstudy.evaluation import Estimate, Evaluation
from quickstudy.learners.learner import Learner
from quickstudy.tasks.task import Task

RIGHT, WRONG, LINE = "#1a7f37", "#c62828", "#1f4e9c"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG, whole or not at all."""
    import io

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_atomically(path, buffer.getvalue())


def adaptation(evaluation: Evaluation, shots: dict[int, Estimate]) -> Figure:
    """The metric against inner steps and against shots, whichever were measured.

    Args:
        evaluation: its `path` is drawn, or before and after where there is none.
        shots: an estimate per number of shots.
    """
    path = evaluation.path or (evaluation.before, evaluation.after)
    ticks = list(map(str, range(len(path)))) if evaluation.path else ["before", "after"]
    figure = Figure(figsize=(9 if shots else 4.6, 3.4), layout="constrained")
    axes = figure.subplots(1, 2 if shots else 1, squeeze=False)[0]
    label = "inner steps" if evaluation.path else "adaptation"
    _curve(axes[0], ticks, list(path), evaluation.metric, label)
    if shots:
        _curve(axes[1], list(map(str, shots)), list(shots.values()), evaluation.metric, "shots")
    kind = "transductive" if evaluation.transductive else "inductive"
    figure.suptitle(f"{evaluation.episodes} tasks never seen in training, {kind}", fontsize=10)
    return figure


def _curve(axes: Any, ticks: list[str], values: list[Estimate], metric: str, label: str) -> None:
    factor = 100 if metric == "accuracy" else 1
    means = [factor * value.mean for value in values]
    bars = [factor * value.interval for value in values]
    axes.errorbar(range(len(ticks)), means, bars, marker="o", ms=4, capsize=3, color=LINE)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_xlabel(label)
    axes.set_ylabel("accuracy, %" if metric == "accuracy" else metric.replace("_", " "))
    if metric == "accuracy":
        axes.set_ylim(0, 102)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def episode(learner: Learner, task: Task, most: int = 8) -> Figure:
    """One task as images: a row per class, support on the left, queries with ✓ or ✗ on the right.

    Args:
        learner: adapts to the support set.
        task: of images `[n, h, w, c]`.
        most: the most classes, supports or queries to draw.
    """
    ways = min(task.support.ways or 0, most)
    predicted = np.asarray(_answers(learner, task)).argmax(-1)
    rows = [_of_class(task.support, c, most) for c in range(ways)]
    asked = [_of_class(task.query, c, most) for c in range(ways)]
    wide, asked_wide = max(map(len, rows)), max(map(len, asked))
    columns = wide + asked_wide
    figure = Figure(figsize=(0.9 * columns + 1.4, 0.95 * ways + 0.7), layout="constrained")
    widths = [1.0] * wide + [0.25] + [1.0] * asked_wide
    axes = figure.subplots(ways, columns + 1, squeeze=False, gridspec_kw={"width_ratios": widths})
    for axis in axes.flat:
        axis.axis("off")
    for c in range(ways):
        for column, i in enumerate(rows[c]):
            _image(axes[c, column], task.support.x[i])
        for column, i in enumerate(asked[c]):
            axis = axes[c, wide + 1 + column]
            _image(axis, task.query.x[i])
            right = predicted[i] == c
            mark = "✓" if right else f"✗ {predicted[i] + 1}"
            axis.set_title(mark, color=RIGHT if right else WRONG, fontsize=10, pad=2)
        axes[c, 0].text(
            -0.15, 0.5, str(c + 1), transform=axes[c, 0].transAxes, va="center", ha="right"
        )
    share = float((predicted == np.asarray(task.query.y)).mean())
    figure.suptitle(f"support | queries: {share:.0%} right (✗ n: taken for class n)", fontsize=10)
    return figure


@eqx.filter_jit
def _answers(learner: Learner, task: Task) -> Any:
    return learner.adapt(task.support)(task.query.x)


def _of_class(examples: Any, c: int, most: int) -> list[int]:
    return np.flatnonzero(np.asarray(examples.y) == c)[:most].tolist()


def _image(axis: Any, image: Any) -> None:
    pixels = np.asarray(image)
    if pixels.shape[-1] == 1:
        axis.imshow(1 - pixels[..., 0], cmap="gray", vmin=0, vmax=1)
    else:
        axis.imshow(np.clip(pixels, 0, 1))
