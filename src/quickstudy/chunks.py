"""How many tasks an accelerator takes side by side."""

from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import PRNGKeyArray, PyTree

# The rest is for weights, optimiser, data and what XLA keeps beside a program's temporaries.
SHARE = 0.5


def at_once(
    f: Callable[[Any, PRNGKeyArray], PyTree], arguments: PyTree, key: PRNGKeyArray, tasks: int
) -> int:
    """As many tasks as half of the device's memory holds, at least 1 and at most `tasks`.

    One task is compiled by itself, and XLA's analysis tells what it needs: its temporary arrays
    and its outputs. On a CPU the answer is 1, for there one task after the other is faster.

    Args:
        f: pure; what is done in one task.
        arguments: a pytree of arrays that all tasks share; their shapes count.
        key: one task's.
        tasks: how many there are for this device.

    Example:
        >>> at_once(lambda x, key: x, jax.numpy.ones(3), jax.random.key(0), 8)
        1
    """
    if jax.default_backend() == "cpu":
        return 1
    limit = device_memory()
    if limit is None:
        return tasks
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), (arguments, key))
    needs: Any = jax.jit(f).lower(*shapes).compile().memory_analysis()
    each = needs.temp_size_in_bytes + needs.output_size_in_bytes
    return max(1, min(tasks, int(SHARE * limit / max(each, 1))))


def device_memory() -> int | None:
    """Bytes that a device of this process may use, where it tells."""
    return (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
