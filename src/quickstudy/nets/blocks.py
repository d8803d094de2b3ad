"""A batch in blocks that fit the cache."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

BLOCK = 16  # images whose activations, in a Conv4 of 64 filters, stay in a core's cache


def in_blocks(
    f: Callable[[Float[Array, "m ..."]], PyTree], x: Float[Array, "n ..."], most: int = BLOCK
) -> PyTree:
    """f(x) for an f that treats every example alone, computed block after block on a CPU.

    A large batch's patches and activations do not fit the cache, and memory traffic then costs
    more than arithmetic. Each block is recomputed on the way back instead of being stored.
    Elsewhere, and for small batches, it is f(x).

    Args:
        f: from `[m, ...]` to arrays `[m, ...]`; an example's output depends on no other example.
        x: `[n, ...]`.
        most: examples of a block, at most; a batch of no more is computed at once.

    Example:
        >>> in_blocks(lambda x: 2 * x, jnp.ones((40, 3))).shape
        (40, 3)
    """
    n = x.shape[0]
    if n <= most or jax.default_backend() != "cpu":
        return f(x)
    # Even blocks: 33 images are three of 11, not two of 16 and a third that is mostly padding.
    count = -(-n // most)
    size = -(-n // count)
    padded = jnp.pad(x, [(0, count * size - n)] + [(0, 0)] * (x.ndim - 1))
    y = jax.lax.map(jax.checkpoint(f), padded.reshape(count, size, *x.shape[1:]))
    return jax.tree.map(lambda y: y.reshape(count * size, *y.shape[2:])[:n], y)
