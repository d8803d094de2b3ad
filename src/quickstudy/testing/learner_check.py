"""What every learner must do, as a check that anybody can run on a learner of their own."""

from collections.abc import Callable, Collection
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import PRNGKeyArray

from quickstudy.learners.learner import Learner
from quickstudy.mesh import map_over_tasks, mean_over_tasks
from quickstudy.tasks.task import Examples, Task, TaskDistribution, sample_batch
from quickstudy.testing.comparing import demand, demand_close, same_bits, stack, to_float64
from quickstudy.testing.properties import demand_properties
from quickstudy.testing.subject import Subject, compiled_answers, meta_gradient_of, predictions_of
from quickstudy.testing.training_check import better_than_chance, resumes
from quickstudy.training.plan import MetaPlan

WIDTH = 1e-6  # of a central difference in float64


def check_learner(
    learner: Learner,
    tasks: TaskDistribution,
    *,
    training: TaskDistribution | None = None,
    except_for: Collection[str] = (),
    plan: MetaPlan | None = None,
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
    plan = plan or MetaPlan(steps=200, optimiser=optax.adam(3e-3), validate_every=200)
    key = jax.random.key(0) if key is None else key
    batch = eqx.filter_jit(sample_batch)(tasks, key, 2)
    subject = Subject(learner, tasks, training or tasks, plan, key, _nth(batch, 0), _nth(batch, 1))
    demand_properties(type(learner).__name__, PROPERTIES, subject, except_for)


def _parameters(subject: Subject) -> None:
    """All arrays of a learner are θ, and so floating-point numbers."""
    arrays = jax.tree.leaves(eqx.filter(subject.learner, eqx.is_array))
    demand(arrays, "it has no arrays at all")
    types = {str(a.dtype) for a in arrays if not eqx.is_inexact_array(a)}
    demand(not types, f"it has arrays of {', '.join(sorted(types))}; make them static fields")


def _takes_the_tasks(subject: Subject) -> None:
    """`check` accepts the tasks."""
    subject.learner.check(subject.task)


def _deterministic(subject: Subject) -> None:
    """The same key gives the same predictions and meta-gradient, to the last bit."""
    first, again = (predictions_of(subject.learner, subject.task, subject.key) for _ in range(2))
    demand(same_bits(first, again), "two equal calls differ")


def _jit(subject: Subject) -> None:
    """Compiled and uncompiled results are equal."""
    arguments = subject.learner, subject.task, subject.key
    with jax.disable_jit():  # elsewhere a learner's methods compile themselves
        uncompiled = predictions_of(*arguments)
    demand_close(compiled_answers(*arguments), uncompiled, "jit and no jit")


def _vmap(subject: Subject) -> None:
    """`vmap` over tasks equals a loop over them."""
    pair = subject.task, subject.other
    both = eqx.filter_jit(eqx.filter_vmap(predictions_of, in_axes=(None, 0, None)))
    mapped = both(subject.learner, stack(pair), subject.key)
    looped = stack([compiled_answers(subject.learner, task, subject.key) for task in pair])
    demand_close(mapped, looped, "vmap and the loop")


def _support_order(subject: Subject) -> None:
    """The order of the support examples makes no difference."""
    reordered = Task(jax.tree.map(lambda x: x[::-1], subject.task.support), subject.task.query)
    tasks = reordered, subject.task
    found, wanted = (compiled_answers(subject.learner, task, subject.key) for task in tasks)
    demand_close(found, wanted, "another order of the support set and the first")


def _other_queries(subject: Subject) -> None:
    """A learner that is not `transductive` judges each query by itself."""
    if subject.learner.transductive:
        return
    query = subject.task.query
    x = jnp.concatenate([query.x[:1], subject.other.query.x[1:]])
    changed = Task(subject.task.support, Examples(x, query.y, query.ways))
    tasks = changed, subject.task
    found, wanted = (compiled_answers(subject.learner, t, subject.key)[0][:1] for t in tasks)
    demand_close(found, wanted, "a prediction among other queries and among these")


def _devices(subject: Subject) -> None:
    """Spread over all devices, the sampled tasks are the same and the mean gradient is equal."""
    count = 2 * jax.device_count()
    arrays, rest = eqx.partition((subject.learner, subject.tasks), eqx.is_array)

    def work(arrays: Any, key: PRNGKeyArray) -> Any:
        learner, tasks = eqx.combine(arrays, rest)
        task = tasks.sample(key)
        return task, meta_gradient_of(learner, task, key)

    def gradient(arrays: Any, key: PRNGKeyArray) -> Any:
        return work(arrays, key)[1]

    alone = jax.jit(work)
    loop = stack([alone(arrays, jax.random.fold_in(subject.key, i)) for i in range(count)])
    spread = jax.jit(lambda a, k: map_over_tasks(lambda a, k: work(a, k)[0], a, k, count))
    # Up to rounding: compilers may compute a sine in two ways in two programs.
    demand_close(spread(arrays, subject.key), loop[0], "the tasks over all devices and over one")
    mean = jax.jit(lambda a, k: mean_over_tasks(gradient, a, k, count))(arrays, subject.key)
    by_hand = jax.tree.map(lambda x: np.mean(x, 0), loop[1])
    demand_close(mean, by_hand, "the gradient over all devices and over one")


def _gradient_of_the_loss(subject: Subject) -> None:
    """`meta_gradient` is the slope of `meta_loss`, by central differences in float64."""
    with jax.enable_x64(True):
        learner, task = to_float64((subject.learner, subject.task))
        theta, rest = eqx.partition(learner, eqx.is_inexact_array)
        start, unravel = ravel_pytree(theta)

        @jax.jit
        def measure(theta: Any) -> Any:
            here = eqx.combine(theta, rest)
            return here.meta_loss(task, key=subject.key)[0], meta_gradient_of(
                here, task, subject.key
            )

        def loss(flat: Any) -> float:
            return float(measure(unravel(flat))[0])

        gradient = np.asarray(ravel_pytree(measure(theta)[1])[0])
        size = np.linalg.norm(gradient)
        # Along random lines: a gradient that is wrong anywhere is off along nearly all of them.
        for direction in np.random.default_rng(0).normal(size=(3, len(start))):
            u = direction / np.linalg.norm(direction)
            slope = (loss(start + WIDTH * u) - loss(start - WIDTH * u)) / (2 * WIDTH)
            error = abs(gradient @ u - slope)
            # Rounding is about 10⁻¹⁰ here (2⁻⁵² / WIDTH): far below, while a wrong gradient is far
            # above.
            demand(error <= 1e-6 * (size + 1), f"off by {error:.2g} along a line, of {size:.2g}")


def _steps(subject: Subject) -> None:
    """`adapt_by_steps` starts at `unadapted` and has one predictor more than steps."""
    task = subject.task
    passed = subject.learner.adapt_by_steps(task.support, 2)
    if passed is None:
        return
    outputs = jax.lax.map(lambda predictor: predictor(task.query.x), passed)
    demand(outputs.shape[0] == 3, f"2 steps gave {outputs.shape[0]} predictors")
    start = subject.learner.unadapted(task.support)(task.query.x)
    demand_close(outputs[0], start, "step 0 and `unadapted`")


PROPERTIES: dict[str, Callable[[Subject], None]] = {
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
    "training": better_than_chance,
    "resume": resumes,
}


def _nth(batch: Any, i: int) -> Any:
    return jax.tree.map(lambda x: x[i], batch)
