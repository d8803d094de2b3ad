"""What is examined, and all that is asked of it."""

from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import PRNGKeyArray

from quickstudy.learners.learner import Learner
from quickstudy.tasks.task import Task, TaskDistribution
from quickstudy.training.plan import MetaPlan


class Subject(NamedTuple):
    """What is examined. Every property shares one task, and with it a few compiled functions."""

    learner: Learner
    tasks: TaskDistribution
    training: TaskDistribution
    plan: MetaPlan
    key: PRNGKeyArray
    task: Task
    other: Task


def predictions_of(learner: Learner, task: Task, key: PRNGKeyArray) -> tuple[Any, Any]:
    """All that a learner is asked for: its predictions, and its meta-gradient."""
    return learner.adapt(task.support, key=key)(task.query.x), meta_gradient_of(learner, task, key)


compiled_answers = eqx.filter_jit(predictions_of)


def meta_gradient_of(learner: Learner, task: Task, key: PRNGKeyArray) -> Any:
    """∇_θ of the meta-loss, its floating-point arrays."""
    return eqx.filter(learner.meta_gradient(task, key=key)[0], eqx.is_inexact_array)
