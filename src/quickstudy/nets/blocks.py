"""A batch in blocks that fit the cache."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

BLOCK = 16  # images whose activations, in a Conv4 of 64 filters, stay in a core's cache


def in_blocks(
    f: Callable[[Float[Array, "m ..."]], Float[Array, "m ..."]], x: Float[Array, "n ..."]
) -> Float[Array, "n ..."]:
    """f(x) for an f that treats every example alone, computed block after block on a CPU.

    A large batch's patches and activations do not fit the cache, and memory traffic then costs
    more than arithmetic. Each block is recomputed on the way back instead of being stored.
    Elsewhere, and for small batches, it is f(x).

    Args:
        f: from `[m, ...]` to `[m, ...]`; an example's output depends on no other example.
        x: `[n, ...]`.

    Example:
        >>> in_blocks(lambda x: 2 * x, jnp.ones((40, 3))).shape
        (40, 3)
    """
    n = x.shape[0]
    if n <= BLOCK or jax.default_backend() != "cpu":
        return f(x)
    # Even blocks: 33 images are three of 11, not two of 16 and a third that is mostly padding.
    count = -(-n // BLOCK)
    size = -(-n // count)
    padded = jnp.pad(x, [(0, count * size - n)] + [(0, 0)] * (x.ndim - 1))
    y = jax.lax.map(jax.checkpoint(f), padded.reshape(count, size, *x.shape[1:]))
    return y.reshape(count * size, *y.shape[2:])[:n]
