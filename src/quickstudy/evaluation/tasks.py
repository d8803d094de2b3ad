"""Many tasks never seen in training: the mean, its 95 % interval, and the path of adaptation."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.errors import demand_counts
from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import metric_name, score
from quickstudy.mesh import map_over_tasks
from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class Estimate:
    """A mean over tasks and half the width of its 95 % interval, 1.96 s / √n."""

    mean: float
    interval: float

    @classmethod
    def of(cls, scores: np.ndarray) -> "Estimate":
        """The estimate from one score per task.

        Example:
            >>> Estimate.of(np.array([0.0, 1.0, 0.0, 1.0]))
            Estimate(mean=0.5, interval=0.565803...)
        """
        with np.errstate(invalid="ignore", over="ignore"):  # a task that diverged has no interval
            deviation = float(scores.std(ddof=1)) if len(scores) > 1 else math.inf
            return cls(float(scores.mean()), 1.96 * deviation / math.sqrt(len(scores)))

    @classmethod
    def from_json(cls, value: dict[str, float | None]) -> "Estimate":
        """The estimate that a JSON file holds, where `null` is a number that was not finite.

        Example:
            >>> Estimate.from_json({"mean": 0.5, "interval": None})
            Estimate(mean=0.5, interval=nan)
        """
        return cls(**{name: math.nan if one is None else one for name, one in value.items()})


@dataclass(frozen=True)
class Evaluation:
    """What a learner does on many tasks.

    Attributes:
        metric: `accuracy` (a share) or `squared_error`.
        after: once adapted to the support set.
        before: before adaptation.
        path: after 0, 1, 2 ... inner steps, for learners that adapt by steps; else empty.
        episodes: how many tasks.
        transductive: whether a query's prediction may depend on the other queries.
    """

    metric: str
    after: Estimate
    before: Estimate
    path: tuple[Estimate, ...]
    episodes: int
    transductive: bool

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return dataclasses.asdict(self)


def evaluate(
    learner: Learner,
    tasks: TaskDistribution,
    *,
    episodes: int = 1000,
    key: PRNGKeyArray,
    path_steps: int = 10,
) -> Evaluation:
    """Adapt to each of many tasks and score the predictions on its query set.

    Args:
        learner: trained or not.
        tasks: p(T) of meta-test.
        episodes: how many tasks.
        key: consumed; the same key gives the same tasks to every learner.
        path_steps: for learners that adapt by steps, how many to follow.

    Raises:
        BadInput: the learner cannot take the tasks, or `episodes` is not positive.

    Example:
        >>> import jax, quickstudy as qs
        >>> learner = qs.Prototypical(qs.Conv4((28, 28, 1), filters=4, key=jax.random.key(0)))
        >>> images = jax.random.randint(jax.random.key(1), (6, 4, 28, 28, 1), 0, 256, "uint8")
        >>> tasks = qs.Episodes(images, ways=2, shots=1, queries=1)
        >>> evaluate(learner, tasks, episodes=4, key=jax.random.key(2)).episodes
        4
    """
    demand_counts(episodes=episodes)
    task = eqx.filter_eval_shape(tasks.sample, key)
    learner.check(task)
    scores = _scores(learner, tasks, key, (episodes, path_steps))
    before, after, path = (np.asarray(x) for x in scores)
    return Evaluation(
        metric=metric_name(task.query),
        after=Estimate.of(after),
        before=Estimate.of(before),
        path=tuple(Estimate.of(column) for column in path.T),
        episodes=episodes,
        transductive=learner.transductive,
    )


@eqx.filter_jit
def _scores(
    learner: Learner, tasks: TaskDistribution, key: PRNGKeyArray, sizes: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Scores before and after `[episodes]`, and along the path `[episodes, steps + 1]`."""
    episodes, steps = sizes
    fixed, rest = eqx.partition((learner, tasks), eqx.is_array)

    def one(fixed: Any, key: PRNGKeyArray) -> tuple[Array, Array, Float[Array, " k"]]:
        learner, tasks = eqx.combine(fixed, rest)
        sample_key, adapt_key = jax.random.split(key)
        task = tasks.sample(sample_key)

        def score_of(predictor: Any) -> Array:
            return score(predictor(task.query.x), task.query)

        before = score_of(learner.unadapted(task.support))
        after = score_of(learner.adapt(task.support, key=adapt_key))
        passed = learner.adapt_by_steps(task.support, steps)
        # One step's predictor after the other, so that activations of one are in memory.
        path = jnp.zeros(0) if passed is None else jax.lax.map(score_of, passed)
        return before, after, path

    return map_over_tasks(one, fixed, key, episodes)
