"""One task of images: its support set, and how its queries are answered."""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from quickstudy.experiments.sections import Answer, Picture, TaskImages
from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import possible, score
from quickstudy.tasks.task import Task, demand_classes

MOST_CLASSES, MOST_ITEMS = 20, 8
"""The most rows, and the most support or query images in a row."""


def task_images(learner: Learner, task: Task) -> TaskImages:
    """The first classes of a task, with their first examples; padding is left out.

    Args:
        learner: adapts to the support set.
        task: of images `[n, h, w, c]`.

    Raises:
        BadInput: the task has no classes.
    """
    classes = demand_classes(task.query)
    taken = answers(learner, task)
    support, query = (np.asarray(part.x) for part in (task.support, task.query))
    rows = []
    for c in range(min(classes, MOST_CLASSES)):
        shown = [Picture(support[i], "support image") for i in of_class(task.support, c)]
        asked = [
            Answer(Picture(query[i], f"query of class {c + 1}"), c, int(taken[i]))
            for i in of_class(task.query, c)
        ]
        rows.append((shown, asked))
    return TaskImages(rows, float(score(jax.nn.one_hot(taken, classes), task.query)))


def answers(learner: Learner, task: Task) -> np.ndarray:
    """The class `[n]` that the learner gives each query, once adapted to the support set."""
    return np.asarray(possible(_outputs(learner, task), task.query)).argmax(-1)


@eqx.filter_jit
def _outputs(learner: Learner, task: Task) -> Any:
    return learner.adapt(task.support)(task.query.x)


def of_class(examples: Any, c: int) -> list[int]:
    """Where the first examples of class c are, without padding."""
    own = np.asarray(examples.y) == c
    real = own if examples.real is None else own & np.asarray(examples.real)
    return np.flatnonzero(real)[:MOST_ITEMS].tolist()
