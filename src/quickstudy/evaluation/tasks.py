"""Many tasks never seen in training: the mean, its 95 % interval, and the path of adaptation."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.errors import BadInput, demand_counts, demand_key
from quickstudy.evaluation.calibration_error import bin_gaps, calibration_error
from quickstudy.evaluation.estimates import Estimate, short
from quickstudy.evaluation.measured import ClassAccuracy, Evaluation
from quickstudy.learners.learner import Learner, demand_fitting
from quickstudy.learners.losses import (
    Loss,
    accuracy,
    loss_on,
    metric_name,
    possible,
    scores_as_logits,
    squared_error,
)
from quickstudy.mesh import map_over_tasks
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.task import Examples, Task, TaskDistribution


def evaluate(
    learner: Learner,
    tasks: TaskDistribution,
    *,
    episodes: int = 1000,
    key: PRNGKeyArray,
    path_steps: int = 10,
    metric: Loss | None = None,
) -> Evaluation:
    """Adapt to each of many tasks and score the predictions on its query set.

    Args:
        learner: trained or not.
        tasks: p(T) of meta-test.
        episodes: how many tasks.
        key: consumed; the same key gives the same tasks to every learner.
        path_steps: for learners that adapt by steps, how many to follow.
        metric: f(outputs, y), the score of a task: from a predictor's outputs `[n, ways]` or
            `[n, d]` and the query set's y, as of a loss, to a scalar, in `jax.numpy`. Where tasks
            are padded, it must be a mean over examples. A function is compiled for once, a lambda
            that is written anew each time that it is met. None: accuracy, or the squared error.

    Raises:
        BadInput: the learner cannot take the tasks, `episodes` is not positive, `key` is none of
            JAX's, or `metric` gives no scalar.

    Example:
        >>> import jax, quickstudy as qs
        >>> learner = qs.Prototypical(qs.Conv4((28, 28, 1), filters=4, key=jax.random.key(0)))
        >>> images = jax.random.randint(jax.random.key(1), (6, 4, 28, 28, 1), 0, 256, "uint8")
        >>> tasks = qs.Episodes(images, ways=2, shots=1, queries=1)
        >>> found = evaluate(learner, tasks, episodes=4, key=jax.random.key(2))
        >>> len(found.scores), found.classes[0].answers > 0
        (4, True)

        A metric of one's own, the Brier score Σ_c (p_c − 1[y = c])²:

        >>> def brier(outputs, y):
        ...     right = jax.nn.one_hot(y, outputs.shape[-1])
        ...     return jnp.mean(jnp.sum((jax.nn.softmax(outputs) - right) ** 2, -1))
        >>> found = evaluate(learner, tasks, episodes=4, key=jax.random.key(2), metric=brier)
        >>> found.metric, found.before.mean  # of two equally likely classes
        ('brier', 0.5)
    """
    demand_counts(episodes=episodes)
    demand_key(key)
    task = demand_fitting(learner, tasks)
    usual = accuracy if task.query.ways is not None else squared_error
    if metric is not None:
        _demand_scalar(metric, learner, task)
    sizes = (int(episodes), path_steps)  # NumPy's would be traced
    before, after, path, answers = _scores(learner, tasks, key, sizes, metric or usual)
    # A metric may be a yes or no for each task.
    before, after, path = (
        np.asarray(x, np.float32 if x.dtype == bool else None) for x in (before, after, path)
    )
    return Evaluation(
        metric=metric_name(task.query) if metric is None else _name(metric),
        after=Estimate.of(after),
        before=Estimate.of(before),
        path=tuple(Estimate.of(column) for column in path.T),
        episodes=episodes,
        transductive=learner.transductive,
        scores=short(after),
        ece=None if answers is None else _ece(answers),
        classes=() if answers is None else _by_class(answers, tasks),
    )


class Answered(NamedTuple):
    """How a task's queries were answered, in sizes that do not depend on their number.

    Attributes:
        gaps: of the bins of the calibration error; see `bin_gaps`.
        asked: queries of each label.
        right: how many of them were answered rightly.
        classes: behind each label; `None` where the tasks do not know.
    """

    gaps: Float[Array, "... bins"]
    asked: Float[Array, "... ways"]
    right: Float[Array, "... ways"]
    classes: Int[Array, "... ways"] | None


@eqx.filter_jit
def _scores(
    learner: Learner,
    tasks: TaskDistribution,
    key: PRNGKeyArray,
    sizes: tuple[int, int],
    metric: Loss,
) -> tuple[Array, Array, Array, Answered | None]:
    """Scores before and after `[episodes]`, and along the path `[episodes, steps + 1]`; and the
    answers, if they are classes."""
    episodes, steps = sizes
    fixed, rest = eqx.partition((learner, tasks), eqx.is_array)

    def one(fixed: Any, key: PRNGKeyArray) -> tuple[Array, Array, Array, Answered | None]:
        learner, tasks = eqx.combine(fixed, rest)
        sample_key, adapt_key = jax.random.split(key)
        task, classes = _drawn(tasks, sample_key)

        def score_of(predictor: Any) -> Array:
            return loss_on(metric, predictor(task.query.x), task.query)

        before = score_of(learner.unadapted(task.support))
        outputs = learner.adapt(task.support, key=adapt_key)(task.query.x)
        after = loss_on(metric, outputs, task.query)
        passed = learner.adapt_by_steps(task.support, steps)
        # One step's predictor after the other, so that activations of one are in memory.
        path = jnp.zeros(0) if passed is None else jax.lax.map(score_of, passed)
        return before, after, path, _answers(learner, outputs, task.query, classes)

    return map_over_tasks(one, fixed, key, episodes)


def _drawn(tasks: Any, key: PRNGKeyArray) -> tuple[Task, Array | None]:
    """A task, and the class behind each label where that is known."""
    # What a subclass samples in a way of its own may have other labels than it draws.
    if isinstance(tasks, Episodes) and type(tasks).sample is Episodes.sample:
        return tasks.draw(key)
    return tasks.sample(key), None


def _answers(
    learner: Learner, outputs: Array, query: Examples, classes: Array | None
) -> Answered | None:
    if query.ways is None:
        return None
    logits = scores_as_logits(outputs) if learner.bounded_scores else outputs
    given = jax.nn.softmax(possible(logits, query))
    real = 1.0 if query.real is None else query.real.astype(given.dtype)
    right = (jnp.argmax(possible(outputs, query), -1) == query.y) * real
    members = query.members()
    gaps = bin_gaps(jnp.max(given, -1) * real, right)
    return Answered(gaps, members.sum(0), right @ members, classes)


def _ece(answers: Answered) -> float:
    # In float64: there may be millions of answers.
    gaps = np.asarray(answers.gaps, np.float64).sum(0)
    return calibration_error(gaps, float(np.asarray(answers.asked, np.float64).sum()))


def _by_class(answers: Answered, tasks: Any) -> tuple[ClassAccuracy, ...]:
    """The accuracy of every class that was asked for, the lowest first."""
    if answers.classes is None:
        return ()
    place = np.asarray(answers.classes).ravel()
    asked, right = (
        np.bincount(place, np.asarray(each, np.float64).ravel(), tasks.classes)
        for each in (answers.asked, answers.right)
    )
    met = [
        ClassAccuracy(tasks.class_name(c), float(right[c] / asked[c]), int(asked[c]))
        for c in np.flatnonzero(asked).tolist()
    ]
    return tuple(sorted(met, key=lambda one: one.accuracy))


def _demand_scalar(metric: Loss, learner: Learner, task: Task) -> None:
    """Raise `BadInput` unless a metric of one's own gives one number for a task."""

    def of_task(learner: Learner, task: Task) -> Any:
        outputs = learner.unadapted(task.support)(task.query.x)
        return loss_on(metric, outputs, task.query)

    needed = "it must give one number for the outputs and y of a task"
    try:
        found = eqx.filter_eval_shape(of_task, learner, task)
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
        raise BadInput(
            f"the metric {_name(metric)} cannot be compiled: {needed}, and be written with "
            "jax.numpy instead of NumPy, without `if` on values"
        ) from error
    except (TypeError, ValueError) as error:
        outputs = eqx.filter_eval_shape(lambda one, t: one.unadapted(t.support)(t.query.x),
                                        learner, task)  # fmt: skip
        raise BadInput(
            f"the metric {_name(metric)} was called with the outputs {list(outputs.shape)} and the "
            f"y {list(task.query.y.shape)} of a task, and raised {type(error).__name__}: {error}. "
            f"{needed.capitalize()}"
        ) from error
    if getattr(found, "shape", None) != ():
        shape = getattr(found, "shape", type(found).__name__)
        raise BadInput(f"the metric {_name(metric)} gives {shape}: {needed}, a mean for example")
    if jnp.issubdtype(found.dtype, jnp.complexfloating):
        raise BadInput(f"the metric {_name(metric)} gives a complex number: {needed}, a real one")


def _name(metric: Loss) -> str:
    return getattr(metric, "__name__", type(metric).__name__)
