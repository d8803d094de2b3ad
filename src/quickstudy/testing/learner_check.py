"""What every learner must do, as a check that anybody can run on a learner of their own."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import PRNGKeyArray

from quickstudy.errors import BadInput
from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import metric_name, score
from quickstudy.learners.meta_training import MetaTraining
from quickstudy.mesh import map_over_tasks, mean_over_tasks
from quickstudy.progress import Reporter, Silent
from quickstudy.runs import Run
from quickstudy.tasks.task import Examples, Task, TaskDistribution, sample_batch
from quickstudy.testing.comparing import demand, demand_close, same_bits, stack, to_float64
from quickstudy.training import Plan, fit

EPISODES = 200
WIDTH = 1e-6  # of a central difference in float64


class ConformanceError(AssertionError):
    """A learner breaks a promise of the `Learner` protocol; the message says which."""


class _Subject(NamedTuple):
    """What is examined. Every property shares one task, and with it a few compiled functions."""

    learner: Learner
    tasks: TaskDistribution
    training: TaskDistribution
    plan: Plan
    key: PRNGKeyArray
    task: Task
    other: Task


def check_learner(
    learner: Learner,
    tasks: TaskDistribution,
    *,
    training: TaskDistribution | None = None,
    except_for: Collection[str] = (),
    plan: Plan | None = None,
    key: PRNGKeyArray | None = None,
) -> None:
    """Hold a learner to everything that the rest of the library relies on.

    Args:
        learner: a small one: each property compiles and runs it.
        tasks: any distribution of tasks that it can take and learn from.
        training: the tasks that it is trained on, if those are others: all classes at once, for
            a learner that pre-trains.
        except_for: names of `PROPERTIES` that the learner does not promise: `support order` for
            one that reads the support set as a sequence, `gradient` for one whose
            `meta_gradient` is not the gradient of its `meta_loss`.
        plan: a training that should do better than chance; 200 short steps by default.
        key: decides the tasks.

    Raises:
        ConformanceError: names the first property that does not hold, and by how much.
        BadInput: `except_for` names no property.

    Example:
        >>> import jax, quickstudy as qs
        >>> learner = qs.MAML(qs.MLP(1, (8, 1), key=jax.random.key(0)), loss=qs.squared_error)
        >>> check_learner(learner, qs.Sinusoid(), except_for=("devices", "training", "resume"))
    """
    if unknown := set(except_for) - PROPERTIES.keys():
        raise BadInput(f"{sorted(unknown)} are no properties; choose from {list(PROPERTIES)}")
    plan = plan or Plan(steps=200, optimiser=optax.adam(3e-3), validate_every=200)
    key = jax.random.key(0) if key is None else key
    batch = eqx.filter_jit(sample_batch)(tasks, key, 2)
    subject = _Subject(learner, tasks, training or tasks, plan, key, _nth(batch, 0), _nth(batch, 1))
    for name, holds in PROPERTIES.items():
        if name in except_for:
            continue
        try:
            holds(subject)
        except Exception as error:
            meaning = " ".join((holds.__doc__ or "").split())
            raise ConformanceError(
                f"{type(learner).__name__} breaks the property {name!r} ({meaning}) {error}"
            ) from error


def _parameters(subject: _Subject) -> None:
    """All arrays of a learner are θ, and so floating-point numbers."""
    arrays = jax.tree.leaves(eqx.filter(subject.learner, eqx.is_array))
    demand(arrays, "it has no arrays at all")
    types = {str(a.dtype) for a in arrays if not eqx.is_inexact_array(a)}
    demand(not types, f"it has arrays of {', '.join(sorted(types))}; make them static fields")


def _takes_the_tasks(subject: _Subject) -> None:
    """`check` accepts the tasks."""
    subject.learner.check(subject.task)


def _deterministic(subject: _Subject) -> None:
    """The same key gives the same predictions and meta-gradient, to the last bit."""
    first, again = (_work(subject.learner, subject.task, subject.key) for _ in range(2))
    demand(same_bits(first, again), "two equal calls differ")


def _jit(subject: _Subject) -> None:
    """Compiled and uncompiled results are equal."""
    arguments = subject.learner, subject.task, subject.key
    demand_close(_compiled_work(*arguments), _work(*arguments), "jit and no jit")


def _vmap(subject: _Subject) -> None:
    """`vmap` over tasks equals a loop over them."""
    pair = subject.task, subject.other
    both = eqx.filter_jit(eqx.filter_vmap(_work, in_axes=(None, 0, None)))
    mapped = both(subject.learner, stack(pair), subject.key)
    looped = stack([_compiled_work(subject.learner, task, subject.key) for task in pair])
    demand_close(mapped, looped, "vmap and the loop")


def _support_order(subject: _Subject) -> None:
    """The order of the support examples makes no difference."""
    reordered = Task(jax.tree.map(lambda x: x[::-1], subject.task.support), subject.task.query)
    tasks = reordered, subject.task
    found, wanted = (_compiled_work(subject.learner, task, subject.key) for task in tasks)
    demand_close(found, wanted, "another order of the support set and the first")


def _other_queries(subject: _Subject) -> None:
    """A learner that is not `transductive` judges each query by itself."""
    if subject.learner.transductive:
        return
    query = subject.task.query
    x = jnp.concatenate([query.x[:1], subject.other.query.x[1:]])
    changed = Task(subject.task.support, Examples(x, query.y, query.ways))
    tasks = changed, subject.task
    found, wanted = (_compiled_work(subject.learner, t, subject.key)[0][:1] for t in tasks)
    demand_close(found, wanted, "a prediction among other queries and among these")


def _devices(subject: _Subject) -> None:
    """Spread over all devices, the sampled tasks are the same and the mean gradient is equal."""
    count = 2 * jax.device_count()
    arrays, rest = eqx.partition((subject.learner, subject.tasks), eqx.is_array)

    def work(arrays: Any, key: PRNGKeyArray) -> Any:
        learner, tasks = eqx.combine(arrays, rest)
        task = tasks.sample(key)
        return task, _gradient(learner, task, key)

    def gradient(arrays: Any, key: PRNGKeyArray) -> Any:
        return work(arrays, key)[1]

    alone = jax.jit(work)
    loop = stack([alone(arrays, jax.random.fold_in(subject.key, i)) for i in range(count)])
    spread = jax.jit(lambda a, k: map_over_tasks(lambda a, k: work(a, k)[0], a, k, count))
    demand(same_bits(spread(arrays, subject.key), loop[0]), "the tasks differ")
    mean = jax.jit(lambda a, k: mean_over_tasks(gradient, a, k, count))(arrays, subject.key)
    by_hand = jax.tree.map(lambda x: np.mean(x, 0), loop[1])
    demand_close(mean, by_hand, "the gradient over all devices and over one")


def _gradient_of_the_loss(subject: _Subject) -> None:
    """`meta_gradient` is the slope of `meta_loss`, by central differences in float64."""
    with jax.enable_x64(True):
        learner, task = to_float64((subject.learner, subject.task))
        theta, rest = eqx.partition(learner, eqx.is_inexact_array)
        start, unravel = ravel_pytree(theta)

        @jax.jit
        def measure(theta: Any) -> Any:
            here = eqx.combine(theta, rest)
            return here.meta_loss(task, key=subject.key)[0], _gradient(here, task, subject.key)

        def loss(flat: Any) -> float:
            return float(measure(unravel(flat))[0])

        gradient = np.asarray(ravel_pytree(measure(theta)[1])[0])
        size = np.linalg.norm(gradient)
        for direction in np.random.default_rng(0).normal(size=(3, len(start))):
            u = direction / np.linalg.norm(direction)
            slope = (loss(start + WIDTH * u) - loss(start - WIDTH * u)) / (2 * WIDTH)
            error = abs(gradient @ u - slope)
            demand(error <= 1e-6 * (size + 1), f"off by {error:.2g} along a line, of {size:.2g}")


def _steps(subject: _Subject) -> None:
    """`adapt_by_steps` starts at `unadapted` and has one predictor more than steps."""
    task = subject.task
    passed = subject.learner.adapt_by_steps(task.support, 2)
    if passed is None:
        return
    outputs = jax.lax.map(lambda predictor: predictor(task.query.x), passed)
    demand(outputs.shape[0] == 3, f"2 steps gave {outputs.shape[0]} predictors")
    start = subject.learner.unadapted(task.support)(task.query.x)
    demand_close(outputs[0], start, "step 0 and `unadapted`")


def _better_than_chance(subject: _Subject) -> None:
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
    demand(mean > 3 * error, f"its gain in {name} is {mean:.3g} ± {error:.2g}")


def _resume(subject: _Subject) -> None:
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


PROPERTIES: dict[str, Callable[[_Subject], None]] = {
    "parameters": _parameters,
    "check": _takes_the_tasks,
    "determinism": _deterministic,
    "jit": _jit,
    "vmap": _vmap,
    "support order": _support_order,
    "other queries": _other_queries,
    "devices": _devices,
    "gradient": _gradient_of_the_loss,
    "steps": _steps,
    "training": _better_than_chance,
    "resume": _resume,
}


def _algorithm(subject: _Subject) -> MetaTraining:
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


def _work(learner: Learner, task: Task, key: PRNGKeyArray) -> tuple[Any, Any]:
    """All that a learner is asked for: its predictions, and its meta-gradient."""
    return learner.adapt(task.support, key=key)(task.query.x), _gradient(learner, task, key)


_compiled_work = eqx.filter_jit(_work)


def _gradient(learner: Learner, task: Task, key: PRNGKeyArray) -> Any:
    return eqx.filter(learner.meta_gradient(task, key=key)[0], eqx.is_inexact_array)


def _mean_label(task: Task) -> Any:
    y, ways = task.support.y, task.support.ways
    labels = y if ways is None else jax.nn.one_hot(y, ways)
    return jnp.broadcast_to(jnp.mean(labels, 0), (len(task.query), labels.shape[1]))


def _nth(batch: Any, i: int) -> Any:
    return jax.tree.map(lambda x: x[i], batch)
