"""How alike embeddings are: from queries `[n, d]` and others `[k, d]` to scores `[n, k]`."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from quickstudy.precision import product

Similarity = Callable[[Float[Array, "n d"], Float[Array, "k d"]], Float[Array, "n k"]]


def negative_squared_distance(
    f: Float[Array, "n d"], c: Float[Array, "k d"]
) -> Float[Array, "n k"]:
    """−‖f_i − c_k‖², the choice of prototypical networks.

    Example:
        >>> negative_squared_distance(jnp.array([[0.0, 3.0]]), jnp.array([[4.0, 0.0]])).tolist()
        [[-25.0]]
    """
    # Expanded: the work is one matrix product, and no array of n × k × d differences is made.
    # Two large squares nearly cancel, so that the product is one of full precision.
    return 2 * product(f, c.T) - jnp.sum(f * f, -1)[:, None] - jnp.sum(c * c, -1)[None, :]


def dot_product(f: Float[Array, "n d"], c: Float[Array, "k d"]) -> Float[Array, "n k"]:
    """c_kᵀ f_i, the similarity of the course notes.

    Example:
        >>> dot_product(jnp.array([[1.0, 3.0]]), jnp.array([[4.0, 2.0], [0.0, 1.0]])).tolist()
        [[10.0, 3.0]]
    """
    return product(f, c.T)


def cosine(f: Float[Array, "n d"], c: Float[Array, "k d"]) -> Float[Array, "n k"]:
    """c_kᵀ f_i / (‖c_k‖ ‖f_i‖), the choice of matching networks.

    Example:
        >>> round(cosine(jnp.array([[0.0, 3.0]]), jnp.array([[4.0, 4.0]])).item(), 4)
        0.7071
    """
    return product(unit(f), unit(c).T)


def unit(x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Rows divided by their lengths; a row of zeros stays, and has a finite gradient."""
    return x * jax.lax.rsqrt(jnp.sum(x * x, -1, keepdims=True) + 1e-12)
