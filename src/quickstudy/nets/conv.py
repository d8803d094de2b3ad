"""Convolution and pooling, written for nested gradients with different weights in every task."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from quickstudy.errors import BadInput
from quickstudy.nets.trilinear import convolve

NHWC = ("NHWC", "HWIO", "NHWC")


def conv2d(
    x: Float[Array, "n h w cin"], kernel: Float[Array, "kh kw cin cout"], *, stride: int = 1
) -> Float[Array, "n h_out w_out cout"]:
    """Two-dimensional convolution with SAME padding: `h_out = ceil(h / stride)`.

        y[n, i, j, o] = Σ_{a, b, c}  x[n, s·i + a − p, s·j + b − q, c] · kernel[a, b, c, o]

    (zero outside the image), exactly as `jax.lax.conv_general_dilated(..., padding="SAME")`.
    On a CPU it is matrix products (`trilinear.py`), because XLA turns a convolution under `vmap`
    with one kernel per task into a grouped one, which its CPU backend runs tens of times slower;
    other backends use XLA's own convolution. Differentiable to any order, in both modes.

    Args:
        x: images.
        kernel: the filters.
        stride: s, the step between neighbouring outputs, the same in both directions.

    Raises:
        BadInput: if `stride` is not positive.
        TypeError: the kernel is for another number of channels.

    Example:
        >>> conv2d(jnp.ones((1, 5, 5, 1)), jnp.ones((3, 3, 1, 1)), stride=2)[0, :, :, 0]
        Array([[4., 6., 4.],
               [6., 9., 6.],
               [4., 6., 4.]], dtype=float32)
    """
    if stride < 1:
        raise BadInput(f"conv2d got stride={stride}; give a stride of 1 or more")
    if x.shape[-1] != kernel.shape[2]:
        # As JAX's own errors of shape, for which a learner's door looks for a remedy.
        raise TypeError(
            f"conv2d got images of {x.shape[-1]} channels and a kernel for {kernel.shape[2]}"
        )
    # Neither the primitive nor `conv_general_dilated` promotes types by itself.
    dtype = jnp.result_type(x, kernel)
    x, kernel = x.astype(dtype), kernel.astype(dtype)
    if jax.default_backend() == "cpu":
        return convolve(x, kernel, stride)
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=NHWC)


def max_pool(x: Float[Array, "n h w c"], size: int = 2) -> Float[Array, "n h_out w_out c"]:
    """The largest value in every `size` × `size` block: `h_out = h // size` (VALID padding).

    Where several are equal, the gradient goes to the first of them in reading order, as with
    `reduce_window`, whose second derivative is slow on a CPU: selections between shifted slices
    stay selections under every derivative.

    Raises:
        BadInput: if the image is smaller than one block.

    Example:
        >>> max_pool(jnp.arange(9.0).reshape(1, 3, 3, 1))
        Array([[[[4.]]]], dtype=float32)
    """
    h, w = (length // size * size for length in x.shape[1:3])
    if not (h and w):
        raise BadInput(
            f"max_pool got {x.shape[1]}×{x.shape[2]} images; give at least {size}×{size}"
        )
    # Splitting, unlike strided slices, is undone by concatenation and not by adding padded images:
    # a quarter less time for the gradient of a block, and a third where it leaves the cache.
    n, c = x.shape[0], x.shape[3]
    tiles = x[:, :h, :w].reshape(n, h // size, size, w // size, size, c)
    lines = [jax.lax.split(line, (1,) * size, 4) for line in jax.lax.split(tiles, (1,) * size, 2)]
    members = [member.reshape(n, h // size, w // size, c) for line in lines for member in line]
    # Neighbours in reading order are compared, so that the first of equals wins every round.
    while len(members) > 1:
        pairs = zip(members[0::2], members[1::2], strict=False)
        merged = [_larger(first, second) for first, second in pairs]
        members = merged + members[2 * len(merged) :]
    return members[0]


@jax.custom_jvp
def _larger(first: Array, second: Array) -> Array:
    return jnp.maximum(first, second)


@_larger.defjvp
def _larger_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    # Unlike `jnp.maximum`, which halves the gradient between equals: one comparison, no division.
    return _larger(*primals), jnp.where(primals[0] >= primals[1], *tangents)
