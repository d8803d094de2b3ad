"""The promises of a learner that take a training to see."""

import contextlib
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import metric_name, score
from quickstudy.mesh import map_over_tasks
from quickstudy.progress import Reporter, Silent
from quickstudy.runs import Run
from quickstudy.tasks.task import Task
from quickstudy.testing.comparing import demand, same_bits
from quickstudy.testing.subject import Subject
from quickstudy.training.fit import fit
from quickstudy.training.meta_training import MetaTraining

EPISODES = 200


def better_than_chance(subject: Subject) -> None:
    """A short training does better than always answering the mean of the support labels."""
    train_key, test_key = jax.random.split(subject.key)
    learner = fit(_algorithm(subject), subject.plan, key=train_key).best
    arrays, rest = eqx.partition((learner, subject.tasks), eqx.is_array)
    name = metric_name(subject.task.query)
    sign = 1 if name == "accuracy" else -1

    def gain(arrays: Any, key: PRNGKeyArray) -> Any:
        learner, tasks = eqx.combine(arrays, rest)
        task = tasks.sample(key)
        answers = learner.adapt(task.support, key=key)(task.query.x), _mean_label(task)
        ours, chance = (score(outputs, task.query) for outputs in answers)
        return sign * (ours - chance)

    gains = jax.jit(lambda a, k: map_over_tasks(gain, a, k, EPISODES))(arrays, test_key)
    mean, error = np.mean(gains), np.std(gains) / np.sqrt(EPISODES)
    # At three standard errors a learner at chance passes once in 740 times.
    demand(mean > 3 * error, f"its gain in {name} is {mean:.3g} ± {error:.2g}")


def resumes(subject: Subject) -> None:
    """A training stopped half-way and resumed ends with the same bits as one never stopped."""
    plan = dataclasses.replace(subject.plan, steps=4, validate_every=2)

    def trained(run: Run | None, report: Reporter | None = None) -> Learner:
        algorithm = _algorithm(subject)
        return fit(algorithm, plan, key=subject.key, run=run, report=report).last

    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder), {})
        with contextlib.suppress(_Stopped):
            trained(run, _StopAtTwo())
        resumed = trained(run)
    demand(same_bits(resumed, trained(None)), "the weights differ")


def _algorithm(subject: Subject) -> MetaTraining:
    plan = subject.plan
    return MetaTraining(
        subject.learner,
        subject.training,
        subject.tasks,
        plan.optimiser,
        plan.meta_batch,
        plan.validation_episodes,
    )


class _Stopped(Exception):
    """Training was stopped on purpose."""


class _StopAtTwo(Silent):
    """A reporter that stops training after two steps."""

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """Stop."""
        if step >= 2:
            raise _Stopped


def _mean_label(task: Task) -> Any:
    y, ways = task.support.y, task.support.ways
    labels = y if ways is None else jax.nn.one_hot(y, ways)
    return jnp.broadcast_to(jnp.mean(labels, 0), (len(task.query), labels.shape[1]))
