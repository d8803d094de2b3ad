"""quickstudy's meta-step over given tasks: the library's learner on the library's mesh."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec

from quickstudy.learners.learner import Learner
from quickstudy.mesh import AXIS, task_mesh
from quickstudy.tasks.task import Task


def meta_step(learner: Learner, tasks: Task) -> Callable[[], tuple[Any, Any]]:
    """A compiled call without arguments: the mean query loss and its gradient over `tasks`.

    Tasks are spread over the devices and follow one another on each, as in training.
    """
    count = tasks.query.y.shape[0]
    mesh = task_mesh()

    def one(learner: Learner, task: Task) -> tuple[Any, Any]:
        gradient, metrics = learner.meta_gradient(task)
        return metrics["loss"], gradient

    def local(learner: Learner, tasks: Task) -> Any:
        first = jax.tree.map(lambda x: x[0], tasks)
        shapes = jax.eval_shape(one, learner, first)
        zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)

        def add(total: Any, task: Task) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, total, one(learner, task)), None

        total = jax.lax.scan(add, zeros, tasks)[0]
        return jax.tree.map(lambda x: jax.lax.psum(x, AXIS) / count, total)

    specs = (PartitionSpec(), PartitionSpec(AXIS))
    step = jax.shard_map(
        local, mesh=mesh, in_specs=specs, out_specs=PartitionSpec(), check_vma=False
    )
    compiled = eqx.filter_jit(step).lower(learner, tasks).compile()
    return functools.partial(_wait, compiled, learner, tasks)


def _wait(compiled: Any, *arguments: Any) -> Any:
    return jax.block_until_ready(compiled(*arguments))
