"""One regression task of one input: the truth, the points, and what was learned from them."""

import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from quickstudy.experiments.sections import GREY, Axis, Chart, Line
from quickstudy.learners.learner import Learner
from quickstudy.tasks.sinusoid import Sinusoid

STEPS = (0, 1, 5, 10)
"""After how many inner steps a regression is drawn."""


@dataclass(frozen=True)
class FittedCurve:
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


def regression(learner: Learner, tasks: Sinusoid, key: PRNGKeyArray) -> FittedCurve:
    """The task `tasks.sample(key)`, before and after 1, 5 and 10 steps, or just after adapting.

    Example:
        >>> import quickstudy as qs
        >>> model = qs.MLP(1, (8, 1), key=jax.random.key(0))
        >>> learner = qs.MAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> list(regression(learner, Sinusoid(), jax.random.key(1)).curves)
        ['before', 'after 1 step', 'after 5 steps', 'after 10 steps']
    """
    x = jnp.linspace(*tasks.inputs, 121)[:, None]
    task, truth, ends, path = _fitted(learner, tasks, key, x)
    names = ["before", *(f"after {k} step{'s' * (k > 1)}" for k in STEPS[1:])]
    drawn = ends if path is None else path[np.array(STEPS)]
    curves = dict(zip(["before", "after"] if path is None else names, drawn, strict=True))
    return FittedCurve(
        np.asarray(x)[:, 0],
        np.asarray(truth)[:, 0],
        np.concatenate([task.support.x, task.support.y], 1).T,
        {name: np.asarray(values)[:, 0] for name, values in curves.items()},
    )


def regression_chart(found: FittedCurve) -> Chart:
    """All of a fit; predictions that run away leave the picture."""
    xs = found.x.tolist()
    lines = [Line("truth", xs, found.truth.tolist(), style="dashed", colour=GREY)]
    lines += [
        Line(name, xs, values.tolist(), colour=i)
        for i, (name, values) in enumerate(found.curves.items())
    ]
    lines.append(Line("support points", *found.support.tolist(), style="dots", colour=GREY))
    highest = max(1.0, float(abs(found.truth).max()))
    drawn = [abs(v) for one in found.curves.values() for v in one.tolist() if math.isfinite(v)]
    # One curve that runs away must not flatten all others.
    reach = 1.05 * min(max([highest, *drawn]), 2.5 * highest)
    title = "One test task: what is predicted before and after adaptation"
    return Chart(title, Axis("x"), Axis("y", (-reach, reach)), lines)


@eqx.filter_jit
def _fitted(learner: Learner, tasks: Sinusoid, key: PRNGKeyArray, x: Any) -> tuple[Any, ...]:
    """The task, the truth at x, predictions `[2, n, 1]` before and after, and `[steps, n, 1]`."""
    task = tasks.sample(key)
    ends = jnp.stack([learner.unadapted(task.support)(x), learner.adapt(task.support)(x)])
    passed = learner.adapt_by_steps(task.support, max(STEPS))
    path = None if passed is None else jax.lax.map(lambda predictor: predictor(x), passed)
    return task, tasks.truth(key)(x), ends, path
