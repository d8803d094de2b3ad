"""Figures from real runs: the adaptation curve, one task as images, one regression as curves."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from quickstudy.checkpoint import write_atomically
from quickstudy.evaluation.tasks import Estimate, Evaluation
from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import possible, score
from quickstudy.tasks.sinusoid import Sinusoid
from quickstudy.tasks.task import Task, demand_classes

RIGHT, WRONG, LINE = "#1a7f37", "#c62828", "#1f4e9c"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG, whole or not at all."""
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
    figure.suptitle(f"{evaluation.episodes:,} tasks, {kind}", fontsize=10)
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
    predicted = answers(learner, task)
    rows = [of_class(task.support, c, most) for c in range(ways)]
    asked = [of_class(task.query, c, most) for c in range(ways)]
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
    share = float(score(jax.nn.one_hot(predicted, demand_classes(task.query)), task.query))
    figure.suptitle(f"support | queries: {share:.0%} right (✗ n: taken for class n)", fontsize=10)
    return figure


def answers(learner: Learner, task: Task) -> np.ndarray:
    """The class `[n]` that the learner gives each query, once adapted to the support set."""
    return np.asarray(possible(_outputs(learner, task), task.query)).argmax(-1)


@eqx.filter_jit
def _outputs(learner: Learner, task: Task) -> Any:
    return learner.adapt(task.support)(task.query.x)


def of_class(examples: Any, c: int, most: int) -> list[int]:
    """Where the first `most` examples of class c are, without padding."""
    own = np.asarray(examples.y) == c
    real = own if examples.real is None else own & np.asarray(examples.real)
    return np.flatnonzero(real)[:most].tolist()


def _image(axis: Any, image: Any) -> None:
    pixels = _on_paper(image)
    axis.imshow(pixels, cmap="gray" if pixels.ndim == 2 else None, vmin=0, vmax=1)


def _on_paper(image: Any) -> np.ndarray:
    """An image in [0, 1] as it is shown: drawings `[h, w, 1]`, whose ink is 1, dark on light."""
    pixels = np.clip(np.asarray(image), 0, 1)
    return 1 - pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def data_uri(image: Any) -> str:
    """An image `[h, w, 1]` or `[h, w, 3]` in [0, 1] as the address of a PNG that holds itself.

    Example:
        >>> data_uri(np.zeros((4, 4, 1)))[:22]
        'data:image/png;base64,'
    """
    buffer = io.BytesIO()
    levels = np.round(255 * _on_paper(image)).astype(np.uint8)
    Image.fromarray(levels).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@dataclass(frozen=True)
class Fit:
    """One regression task of one input: the truth, the points, and what was learned from them.

    Attributes:
        x: `[n]`, where everything is evaluated.
        truth: `[n]`.
        support: `[2, k]`, the points' positions and heights.
        curves: predictions `[n]` by what they are: "before", "after 1 step" ...
    """

    x: np.ndarray
    truth: np.ndarray
    support: np.ndarray
    curves: dict[str, np.ndarray]


STEPS = (0, 1, 5, 10)
"""After how many inner steps a regression is drawn."""


def fit(learner: Learner, tasks: Sinusoid, key: PRNGKeyArray) -> Fit:
    """The task `tasks.sample(key)`, before and after 1, 5 and 10 steps, or just after adapting.

    Example:
        >>> import quickstudy as qs
        >>> model = qs.MLP(1, (8, 1), key=jax.random.key(0))
        >>> learner = qs.MAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> list(fit(learner, Sinusoid(), jax.random.key(1)).curves)
        ['before', 'after 1 step', 'after 5 steps', 'after 10 steps']
    """
    x = jnp.linspace(*tasks.inputs, 121)[:, None]
    task, truth, ends, path = _fitted(learner, tasks, key, x)
    names = ["before", *(f"after {k} step{'s' * (k > 1)}" for k in STEPS[1:])]
    drawn = ends if path is None else path[np.array(STEPS)]
    curves = dict(zip(["before", "after"] if path is None else names, drawn, strict=True))
    return Fit(
        np.asarray(x)[:, 0],
        np.asarray(truth)[:, 0],
        np.concatenate([task.support.x, task.support.y], 1).T,
        {name: np.asarray(values)[:, 0] for name, values in curves.items()},
    )


@eqx.filter_jit
def _fitted(learner: Learner, tasks: Sinusoid, key: PRNGKeyArray, x: Any) -> tuple[Any, ...]:
    """The task, the truth at x, predictions `[2, n, 1]` before and after, and `[steps, n, 1]`."""
    task = tasks.sample(key)
    ends = jnp.stack([learner.unadapted(task.support)(x), learner.adapt(task.support)(x)])
    passed = learner.adapt_by_steps(task.support, max(STEPS))
    path = None if passed is None else jax.lax.map(lambda predictor: predictor(x), passed)
    return task, tasks.truth(key)(x), ends, path
