"""Tasks spread over devices: one mesh axis, `"tasks"`, and results that do not depend on its size.

Task i of a meta-batch always uses `fold_in(key, i)`, whichever device it runs on. On a CPU the
tasks of one device run one after the other, whose activations then fit the cache; on a GPU they
run side by side, as many as fit its memory.
"""

import contextlib
import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, PRNGKeyArray, PyTree, Scalar

from quickstudy.chunks import at_once
from quickstudy.files import cache_folder

AXIS = "tasks"

Metrics = dict[str, Scalar]
"""What a step or a validation measured, by name."""


def set_up_devices(devices: int | None = None) -> None:
    """Prepare JAX for a whole program: one CPU device per core, and a compilation cache on disk.

    To be called once, by programs (the command line, the tests), before JAX runs anything; the
    library never calls it on import.

    Args:
        devices: how many CPU devices; by default one for each core this process may use.

    Example:
        >>> import quickstudy as qs  # the first lines of a program
        >>> qs.set_up_devices()  # doctest: +SKIP
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # A device per core, for XLA runs most of a small network's program on one of them. Once JAX has
    # run anything, as a program that calls several commands has, the number stays as it is.
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", devices or cores or 1)
    # Many steps in flight on several CPU devices can deadlock XLA's all-reduce.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "compiled"))
    # JAX's own limit is a second, which would leave out many of the smaller programs.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    # JAX does not write the cache atomically. What another program is just writing, or was killed
    # while writing, is compiled anew: nothing that a user could mend.
    warnings.filterwarnings("ignore", "Error reading persistent compilation cache entry")


def task_mesh() -> Mesh:
    """The mesh of all devices, in which a meta-batch is spread along one axis."""
    return jax.make_mesh((jax.device_count(),), (AXIS,), axis_types=(AxisType.Auto,))


def replicate(tree: PyTree) -> PyTree:
    """The arrays of a pytree laid on every device of the mesh; other leaves as they are.

    What a compiled step returns lies there: a state that starts there too has one compilation,
    not two.
    """
    sharding = NamedSharding(task_mesh(), PartitionSpec())
    arrays, rest = eqx.partition(tree, eqx.is_array)
    return eqx.combine(jax.device_put(arrays, sharding), rest)


def mean_over_tasks(
    f: Callable[[Any, PRNGKeyArray], PyTree], arguments: PyTree, key: PRNGKeyArray, tasks: int
) -> PyTree:
    """(1/n) Σ_i f(arguments, fold_in(key, i)), i < n, over all devices.

    Args:
        f: pure; one task's contribution (a gradient, say), a pytree of floating-point arrays.
        arguments: a pytree of arrays that all tasks share.
        key: folded with the task's number.
        tasks: n, static.

    Returns:
        the mean, replicated on every device.
    """
    here = -(-tasks // task_mesh().size)
    chunk = at_once(f, arguments, key, here)

    def local(arguments: PyTree, key: PRNGKeyArray) -> PyTree:
        first = jax.lax.axis_index(AXIS) * here
        sizes = (here, tasks, chunk)
        total = _sum(lambda i: f(arguments, jax.random.fold_in(key, i)), first, sizes)
        return jax.tree.map(lambda x: jax.lax.psum(x, AXIS) / tasks, total)

    return _on_every_device(local, PartitionSpec())(arguments, key)


def map_over_tasks(
    f: Callable[[Any, PRNGKeyArray], PyTree], arguments: PyTree, key: PRNGKeyArray, tasks: int
) -> PyTree:
    """f(arguments, fold_in(key, i)) for every i < n, stacked on a first axis `[n, ...]`.

    Arguments as in `mean_over_tasks`; the outputs may have any type.
    """
    chunk = at_once(f, arguments, key, -(-tasks // task_mesh().size))
    return _mapped(lambda one, keys: each(one, keys, chunk), f, arguments, key, tasks)


class Shares(NamedTuple):
    """What was done in each task, in equal shares for the devices.

    Attributes:
        rows: a pytree of arrays `[n, ...]`, one row per task.
        real: `[n]`; rows that are there to make all shares equal must count for nothing.
    """

    rows: PyTree
    real: Bool[Array, " n"]


def gathered(
    f: Callable[[Any, Any, Any], Shares],
    arguments: PyTree,
    key: PRNGKeyArray,
    tasks: int,
    *,
    multiple: int = 1,
) -> Shares:
    """f(arguments, keys, real) on every device, each with its share of the tasks side by side.
    What it returns stays on the device that made it.

    Args:
        f: pure; `keys` are fold_in(key, i) for this device's numbers i, in order, and `real` says
            which are below `tasks`.
        arguments: a pytree of arrays that all devices share.
        key: folded with the task's number.
        tasks: n, static.
        multiple: every share's size is a multiple of it.
    """
    here = -(-tasks // (task_mesh().size * multiple)) * multiple

    def local(arguments: PyTree, key: PRNGKeyArray) -> Shares:
        numbers = jax.lax.axis_index(AXIS) * here + jnp.arange(here)
        return f(arguments, _keys(key, numbers), numbers < tasks)

    return _on_every_device(local, PartitionSpec(AXIS))(arguments, key)


def dealt(rows: PyTree, *, multiple: int = 1) -> Shares:
    """What was done outside the mesh, one row per task, in shares whose sizes are multiples."""
    tasks = jax.tree.leaves(rows)[0].shape[0]
    together = task_mesh().size * multiple
    numbers = np.arange(-(-tasks // together) * together)
    # What fills the shares up repeats the last task, so that it is as harmless as that one.
    filled = jax.tree.map(lambda x: x[np.minimum(numbers, tasks - 1)], rows)
    return Shares(filled, jnp.asarray(numbers < tasks))


def on_shares(f: Callable[[Any, Any, Any], PyTree], arguments: PyTree, shares: Shares) -> PyTree:
    """f(arguments, rows, real) on every device, each with its share.

    For algorithms that update more than once on the same tasks, and meet through `total` on the
    way.

    Args:
        f: pure; its outputs must be equal on all devices: made of `total`s.
        arguments: a pytree of arrays that all devices share.
        shares: of `gathered` or `dealt`.

    Returns:
        f's outputs, replicated.
    """

    def local(arguments: PyTree, shares: Shares) -> PyTree:
        return f(arguments, *shares)

    run = _on_every_device(local, PartitionSpec(), given=PartitionSpec(AXIS))
    return run(arguments, shares)


def map_in_batches(
    f: Callable[[Any, PRNGKeyArray], PyTree], arguments: PyTree, key: PRNGKeyArray, tasks: int
) -> PyTree:
    """`map_over_tasks` with a device's tasks side by side: for tasks of little arithmetic each."""
    return _mapped(lambda one, keys: jax.vmap(one)(keys), f, arguments, key, tasks)


def total(tree: PyTree) -> PyTree:
    """The sum over devices, inside `on_shares`."""
    return jax.tree.map(lambda x: jax.lax.psum(x, AXIS), tree)


def _mapped(
    over: Callable[[Callable[[Any], PyTree], Any], PyTree],
    f: Callable[[Any, PRNGKeyArray], PyTree],
    arguments: PyTree,
    key: PRNGKeyArray,
    tasks: int,
) -> PyTree:
    """f of every task, stacked; `over` says how a device goes through its own."""
    here = -(-tasks // task_mesh().size)

    def local(arguments: PyTree, key: PRNGKeyArray) -> PyTree:
        keys = _keys(key, jax.lax.axis_index(AXIS) * here + jnp.arange(here))
        return over(lambda k: f(arguments, k), keys)

    run = _on_every_device(local, PartitionSpec(AXIS))
    # All devices run one program, so that numbers beyond the last are computed, and cut off here.
    return jax.tree.map(lambda x: x[:tasks], run(arguments, key))


def _on_every_device(
    local: Callable[..., PyTree], out: PartitionSpec, *, given: PartitionSpec | None = None
) -> Callable[..., PyTree]:
    """`local(arguments, key)` once per device, both replicated, unless the second is `given`
    otherwise.

    JAX's tracking of what differs between devices (`check_vma`) is off: with it, a gradient
    taken inside is summed over devices unasked, and a learner's own loops that start at zeros are
    refused. Derivatives are taken within `local` and never through it, so nothing is lost.
    """
    spec = PartitionSpec()
    return jax.shard_map(
        local, mesh=task_mesh(), in_specs=(spec, given or spec), out_specs=out, check_vma=False
    )


def _keys(key: PRNGKeyArray, numbers: Any) -> Any:
    return jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)


def each(f: Callable[[Any], PyTree], xs: PyTree, at_a_time: int | None = None) -> PyTree:
    """f of every element along the first axis: in turn on a CPU, side by side elsewhere, so many
    at a time."""
    if jax.default_backend() == "cpu":
        return jax.lax.map(f, xs)
    return jax.vmap(f)(xs) if at_a_time is None else jax.lax.map(f, xs, batch_size=at_a_time)


def _sum(f: Callable[[Any], PyTree], first: Array, sizes: tuple[int, int, int]) -> PyTree:
    """Σ f(i) over this device's share: `here` numbers from `first` on, those below `tasks`, so
    many at a time as `chunk` says."""
    here, tasks, chunk = sizes
    numbers = jnp.arange(-(-here // chunk) * chunk).reshape(-1, chunk)

    def real(number: Array) -> PyTree:
        # The last device may have fewer tasks than the others, and the last chunk fewer than
        # there is room for: what is beyond counts nothing.
        i = first + number
        return jax.tree.map(lambda x: jnp.where((number < here) & (i < tasks), x, 0), f(i))

    def together(numbers: Array) -> PyTree:
        if chunk == 1:
            return real(numbers[0])
        return jax.tree.map(lambda x: jnp.sum(x, 0), jax.vmap(real)(numbers))

    if len(numbers) == 1:
        return together(numbers[0])
    # Zeros of the sum's shapes: a scan's carry must exist before its first step.
    shapes = jax.eval_shape(together, numbers[0])
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)

    def add(total: PyTree, numbers: Array) -> tuple[PyTree, None]:
        return jax.tree.map(jnp.add, total, together(numbers)), None

    return jax.lax.scan(add, zeros, numbers)[0]
