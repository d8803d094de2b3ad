"""The outer loop's one step: θ ← θ − β ∇_θ Σ_i L(φ_i, D_i^ts)."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.learners.learner import Learner, Metrics
from quickstudy.learners.losses import metric_name, score
from quickstudy.mesh import map_over_tasks, mean_over_tasks
from quickstudy.nets.noise import with_noise
from quickstudy.tasks.task import TaskDistribution
from quickstudy.training.plan import as_it_is


class MetaState(eqx.Module):
    """What meta-training carries from step to step: θ, the outer optimiser's state, and the moving
    average of θ if there is one."""

    parameters: Any
    optimiser: Any
    average: Any = None


class MetaTraining(eqx.Module):
    """Supervised meta-training, in the form that `quickstudy.fit` drives.

    Attributes:
        learner: its array leaves are the initial θ.
        tasks: p(T), meta-training tasks.
        validation: meta-validation tasks.
        optimiser: the outer optimiser.
        meta_batch: tasks per step.
        validation_episodes: tasks per validation.
        for_test: what becomes of the learner before it is validated.
        ema: how much of the moving average of θ stays in a step, which then is what was learned;
            with 0 there is none.
    """

    learner: Learner
    tasks: TaskDistribution
    validation: TaskDistribution
    optimiser: optax.GradientTransformation
    meta_batch: int = eqx.field(static=True)
    validation_episodes: int = eqx.field(static=True)
    for_test: Callable[[Any], Any] = eqx.field(static=True, default=as_it_is)
    ema: float = eqx.field(static=True, default=0.0)

    @property
    def host(self) -> None:
        """None: tasks are sampled in the compiled program."""
        return None

    def init(self) -> MetaState:
        """The state before the first step."""
        parameters = eqx.filter(self.learner, eqx.is_inexact_array)
        average = self._average().init(parameters) if self.ema else None
        return MetaState(parameters, self.optimiser.init(parameters), average)

    def _average(self) -> optax.GradientTransformation:
        """Begins at zero, which `learned` corrects."""
        return optax.ema(self.ema, debias=False)

    def collect(self, state: MetaState, key: PRNGKeyArray) -> PRNGKeyArray:
        """A key is all that tasks are known by: each is sampled where its meta-gradient is taken,
        so that a meta-batch never lies in memory."""
        return key

    def improve(
        self, state: MetaState, batch: PRNGKeyArray, progress: Float[Array, ""]
    ) -> tuple[MetaState, Metrics]:
        """One meta-step: sample `meta_batch` tasks, average their meta-gradients, descend."""
        fixed, rest = eqx.partition((self.learner, self.tasks), eqx.is_array)

        def one(arguments: Any, key: PRNGKeyArray) -> tuple[Any, Metrics]:
            parameters, fixed, progress = arguments
            template, tasks = eqx.combine(fixed, rest)
            sample_key, adapt_key, noise_key = jax.random.split(key, 3)
            # Noise of its own for each task: all inner steps and the query loss see one thinned
            # network.
            learner = with_noise(eqx.combine(parameters, template), noise_key)
            task = tasks.sample(sample_key)
            gradient, metrics = learner.meta_gradient(task, key=adapt_key, progress=progress)
            return eqx.filter(gradient, eqx.is_inexact_array), metrics

        arguments = (state.parameters, fixed, progress)
        gradient, metrics = mean_over_tasks(one, arguments, batch, self.meta_batch)
        updates, optimiser = self.optimiser.update(gradient, state.optimiser, state.parameters)
        metrics = {**metrics, "gradient_norm": optax.tree.norm(gradient)}
        parameters, average = optax.apply_updates(state.parameters, updates), state.average
        if average is not None:
            average = self._average().update(parameters, average)[1]
        return MetaState(parameters, optimiser, average), metrics

    def learned(self, state: MetaState) -> Learner:
        """The learner with the parameters of that state, or their average."""
        if state.average is None:
            return eqx.combine(state.parameters, self.learner)
        count, begun = state.average.count, state.average.count > 0

        def corrected(mean: Array, now: Array) -> Array:
            # Before the first step there is nothing to average.
            share = jnp.where(begun, _weight_of_all(self.ema, count, mean.dtype), 1)
            return jnp.where(begun, mean / share, now)

        averaged = jax.tree.map(corrected, state.average.ema, state.parameters)
        return eqx.combine(averaged, self.learner)

    def validate(self, state: MetaState, key: PRNGKeyArray) -> Metrics:
        """The metric on validation tasks, always the same; `score` is the larger the better."""
        learner = self.for_test(self.learned(state))
        name, scores = episode_scores(learner, self.validation, key, self.validation_episodes)
        mean = jnp.mean(scores)
        # `fit` keeps the largest score.
        return {name: mean, "score": mean if name == "accuracy" else -mean}


def _weight_of_all(ema: float, count: Any, dtype: Any) -> Float[Array, ""]:
    """The sum of the weights in a moving average from zero, w (1 + d + … + dⁿ⁻¹).

    Optax rounds d and w = 1 − d each for itself. In float32 they do not add up to 1 then, and
    1 − dⁿ would be wrong by up to a percent where d is close to 1.
    """
    kept, new = jnp.asarray(ema, dtype), jnp.asarray(1 - ema, dtype)
    return new / (1 - kept) * -jnp.expm1(count * jnp.log1p(kept - 1))


def episode_scores(
    learner: Learner, tasks: TaskDistribution, key: PRNGKeyArray, episodes: int
) -> tuple[str, Float[Array, " episodes"]]:
    """The query metric of each of `episodes` tasks, and its name. The key is consumed."""
    fixed, rest = eqx.partition((learner, tasks), eqx.is_array)
    name = metric_name(eqx.filter_eval_shape(tasks.sample, key).query)

    def one(fixed: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        learner, tasks = eqx.combine(fixed, rest)
        sample_key, adapt_key = jax.random.split(key)
        task = tasks.sample(sample_key)
        outputs = learner.adapt(task.support, key=adapt_key)(task.query.x)
        return score(outputs, task.query)

    return name, map_over_tasks(one, fixed, key, episodes)


def largest(
    tasks: TaskDistribution, key: PRNGKeyArray, sampled: int, parts: int
) -> Float[Array, "sampled 2"]:
    """The largest input and the largest target of tasks that were sampled before; infinite where
    one is not finite.

    Args:
        tasks: p(T).
        key: as it was given to `improve` or `validate`; not consumed.
        sampled: how many.
        parts: into how many keys that of a task was split, of which the first samples.
    """
    fixed, rest = eqx.partition(tasks, eqx.is_array)

    def one(fixed: Any, key: PRNGKeyArray) -> Float[Array, "2"]:
        task = eqx.combine(fixed, rest).sample(jax.random.split(key, parts)[0])
        both = (task.support, task.query)
        return jnp.stack([_most([s.x for s in both]), _most([s.y for s in both])])

    return map_over_tasks(one, fixed, key, sampled)


def _most(tree: Any) -> Float[Array, ""]:
    sizes = [jnp.abs(x.astype(jnp.float32)).max(initial=0) for x in jax.tree.leaves(tree)]
    return jnp.nan_to_num(jnp.stack(sizes), nan=jnp.inf, posinf=jnp.inf).max()
