"""A learner, tried on the shapes of one task before a run's folder is made."""

import contextlib
import dataclasses
import inspect
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from quickstudy.errors import RAISED, BadInput, QuickstudyError, said_by
from quickstudy.experiments.settings import LIBRARY, Own, place_of
from quickstudy.experiments.telling import told

if TYPE_CHECKING:
    from quickstudy.experiments.problem import ExampleProblem
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import Task, TaskDistribution


def own_parts(value: Any) -> list[str]:
    """Where everything of the user's own in a value of settings is defined.

    Example:
        >>> own_parts((Own("nets.py:Net"), 3))
        ['nets.py:Net']
    """
    if isinstance(value, Own):
        return [value.where]
    if isinstance(value, tuple):
        return [where for one in value for where in own_parts(one)]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return []
    kind = type(value)
    mine = [] if kind.__module__.partition(".")[0] == LIBRARY else [place_of(kind)]
    return mine + [w for f in dataclasses.fields(value) for w in own_parts(getattr(value, f.name))]


def demand_trainable(
    learner: "Learner", tasks: "Iterable[TaskDistribution]", settings: tuple[Any, ...]
) -> None:
    """Raise `BadInput` where a learner cannot take a task's shapes, or code of the user's own
    cannot; nothing is computed.

    Args:
        learner: untrained.
        tasks: of training and of validation.
        settings: the problem and the method, in which the user's own is looked for.
    """
    import equinox as eqx
    import jax

    from quickstudy.learners.learner import demand_fitting

    own = own_parts(settings)
    _demand_adapts(learner, " with ".join(own))
    for distribution in tasks:
        if not own:
            demand_fitting(learner, distribution)
            continue
        with _told_of(own):
            # What a learner refuses by itself has a message of its own.
            learner.check(eqx.filter_eval_shape(distribution.sample, jax.random.key(0)))
            eqx.filter_eval_shape(_tried, learner, distribution, jax.random.key(0))


def demand_as_told(
    problem: "ExampleProblem", tasks: "TaskDistribution", validation: "TaskDistribution"
) -> None:
    """Raise `BadInput` where a problem of the user's own has tasks of another shape than it says,
    which networks are made for; nothing is computed.

    Args:
        problem: says what inputs and outputs are.
        tasks: of training, which may have other numbers of classes.
        validation: as in tests.
    """
    import equinox as eqx
    import jax

    from quickstudy.tasks.task import Task

    if not (own := own_parts(problem)):
        return
    for distribution, sayings in ((tasks, _inputs_of), (validation, _all_of)):
        with _told_of(own):
            if not hasattr(distribution, "sample"):
                raise BadInput(
                    f"tasks returns {distribution!r}; it must return a distribution of tasks, "
                    "which has sample(key)"
                )
            task = eqx.filter_eval_shape(distribution.sample, jax.random.key(0))
            if not isinstance(task, Task):
                kind = type(task).__name__
                raise BadInput(f"sample returns {kind}; it must return a quickstudy.Task")
            for name, said, found in sayings(problem, task):
                if said != found:
                    raise BadInput(
                        f"{name} is {said!r}, but {found!r} in its tasks; correct one of the two"
                    )


def _inputs_of(problem: "ExampleProblem", task: "Task") -> Iterator[tuple[str, Any, Any]]:
    """What a problem says of the inputs, and what those of a task are, by the name of the field."""
    yield "inputs", problem.inputs, task.support.x.shape[1:]


def _all_of(problem: "ExampleProblem", task: "Task") -> Iterator[tuple[str, Any, Any]]:
    """The same of inputs, targets and their number."""
    yield from _inputs_of(problem, task)
    yield "classification", problem.classification, task.query.ways is not None
    yield "outputs", problem.outputs, task.query.outputs


@contextlib.contextmanager
def _told_of(own: list[str]) -> Iterator[None]:
    """Errors name the code of the user's own that is tried."""
    try:
        yield
    except QuickstudyError as error:
        raise BadInput(f"{' with '.join(own)}: {error}") from error
    except RAISED as error:
        said = told(error) or said_by(error)
        raise BadInput(f"{' with '.join(own)} cannot be trained; {said}") from error


def _demand_adapts(learner: Any, own: str) -> None:
    """Raise `BadInput` if it is no learner, or its `adapt` takes no key."""
    from quickstudy.learners.learner import Learner

    if not isinstance(learner, Learner):
        raise BadInput(
            f"{own}: learner(problem, seed) returns {learner!r}; it must return a learner, which "
            "extends quickstudy.Learner"
        )
    takes = inspect.signature(learner.adapt)
    try:
        takes.bind("support", key=None)
    except TypeError as error:
        raise BadInput(
            f"{own}: adapt takes {takes}; write def adapt(self, support, *, key=None)"
        ) from error


def _tried(learner: "Learner", tasks: "TaskDistribution", key: Any) -> Any:
    from quickstudy.learners.losses import score

    task = tasks.sample(key)
    predictor = learner.adapt(task.support, key=key)
    if not callable(predictor):
        raise BadInput(
            f"adapt returns {predictor!r}; it must return a predictor, which takes inputs"
        )
    found = learner.meta_gradient(task, key=key, progress=1.0)
    return found[1], score(predictor(task.query.x), task.query)
