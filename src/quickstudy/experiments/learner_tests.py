"""Tests of learners that read examples: on many tasks, and for several numbers of shots."""

from typing import TYPE_CHECKING

import equinox as eqx
import jax

from quickstudy.errors import BadInput, DataError
from quickstudy.evaluation.tasks import evaluate
from quickstudy.experiments.learner_result import LearnerResult
from quickstudy.experiments.method import TEST_SEED, Test
from quickstudy.experiments.pictures.seen import seen
from quickstudy.experiments.problem import ExampleProblem
from quickstudy.experiments.result import SHAPE
from quickstudy.experiments.sections import Note, Section
from quickstudy.learners.learner import Learner

if TYPE_CHECKING:
    from quickstudy.evaluation.estimates import Estimate

SHOTS = (1, 2, 3, 5, 10)
MOST = 400
"""The most tasks for each number of shots."""


def evaluate_learner(learner: Learner, problem: ExampleProblem, test: Test) -> LearnerResult:
    """The metric on test tasks, and for several numbers of shots if they are asked for.

    Raises:
        BadInput: the learner cannot take the tasks.
    """
    tasks = problem.tasks(test.split, test.source)
    learner.check(eqx.filter_eval_shape(tasks.sample, jax.random.key(0)))
    episodes = test.episodes or problem.test_episodes
    found = evaluate(learner, tasks, episodes=episodes, key=jax.random.key(TEST_SEED))
    shots = _by_shots(learner, problem, test) if test.curves else {}
    data, split = problem.data(test.split), test.split
    # As drawn: a problem may leave the number of queries to its protocol.
    named = [name for name in SHAPE if name in problem.at_test]
    shape = {name: getattr(tasks, name) for name in named if hasattr(tasks, name)}
    drawn = test.tasks(problem, episodes, shape)
    return LearnerResult(found, shots, recipe=test.recipe, data=data, split=split, tasks=drawn)


def _by_shots(learner: Learner, problem: ExampleProblem, test: Test) -> "dict[int, Estimate]":
    """The metric after adaptation per number of shots, where data and learner allow it."""
    found = {}
    for shots in SHOTS if "shots" in problem.at_test else ():
        try:
            changed = problem.changed({"shots": shots})
            tasks = changed.tasks(test.split, test.source)
            learner.check(eqx.filter_eval_shape(tasks.sample, jax.random.key(0)))
        except BadInput:
            continue  # too few items in a class for that many shots, or too many for the learner
        episodes, key = min(test.episodes or MOST, MOST), jax.random.key(TEST_SEED)
        # Without the path, which is drawn for the run's own number of shots.
        found[shots] = evaluate(learner, tasks, episodes=episodes, key=key, path_steps=0).after
    return found


def task_sections(learner: Learner, problem: ExampleProblem, test: Test) -> list[Section]:
    """One test task, and the classes that are taken for each other; or why there is nothing."""
    try:
        tasks = problem.tasks("test", test.source)
    except DataError as error:
        said = f"There are no pictures, because the data could not be read: {error}"
        return [Section("One task", [Note(said)])]
    return seen(learner, tasks, jax.random.key(TEST_SEED), episodes=test.episodes or 200)
