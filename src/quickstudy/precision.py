"""Products in full precision, where rounding counts."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def product(a: Float[Array, "... k"], b: Float[Array, "k ..."]) -> Float[Array, "..."]:
    """a b of matrices or vectors, in float32 on every device.

    A GPU's or a TPU's own default keeps 10 or 7 bits of a float32's factor. That is enough for a
    layer, and not for a difference of squares, a system of equations or a sum that is a result.

    Example:
        >>> product(jnp.array([[1.0, 2.0]]), jnp.array([[3.0], [4.0]])).tolist()
        [[11.0]]
    """
    return jnp.matmul(a, b, precision="highest")
