"""Convolution and pooling, written for nested gradients with different weights in every task."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from quickstudy.errors import BadInput

NHWC = ("NHWC", "HWIO", "NHWC")


def conv2d(
    x: Float[Array, "n h w cin"], kernel: Float[Array, "kh kw cin cout"], *, stride: int = 1
) -> Float[Array, "n h_out w_out cout"]:
    """Two-dimensional convolution with SAME padding: `h_out = ceil(h / stride)`.

        y[n, i, j, o] = Σ_{a, b, c}  x[n, s·i + a − p, s·j + b − q, c] · kernel[a, b, c, o]

    (zero outside the image), exactly as `jax.lax.conv_general_dilated(..., padding="SAME")`.
    On a CPU it is patches × matrix, because XLA turns a convolution under `vmap` with one kernel
    per task into a grouped one, which its CPU backend runs tens of times slower; other backends
    use XLA's own convolution. Differentiable to any order.

    Args:
        x: images.
        kernel: the filters.
        stride: s, the step between neighbouring outputs, the same in both directions.

    Raises:
        BadInput: if `stride` is not positive.

    Example:
        >>> conv2d(jnp.ones((1, 5, 5, 1)), jnp.ones((3, 3, 1, 1)), stride=2)[0, :, :, 0]
        Array([[4., 6., 4.],
               [6., 9., 6.],
               [4., 6., 4.]], dtype=float32)
    """
    if stride < 1:
        raise BadInput(f"conv2d got stride={stride}; give a stride of 1 or more.")
    if jax.default_backend() == "cpu":
        return _conv_as_matmul(x, kernel, stride)
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=NHWC)


def patches(
    x: Float[Array, "n h w c"], size: tuple[int, int], stride: int
) -> Float[Array, "n h_out w_out patch"]:
    """The window of every output of a SAME convolution, as one row: `patch = kh · kw · c`.

    Written as shifted slices: they fuse with what comes before, and their transposes are pads
    and sums, so that derivatives of any order stay cheap.
    """
    (top, rows), (left, columns) = (
        _same_padding(length, k, stride) for length, k in zip(x.shape[1:3], size, strict=True)
    )
    h_out, w_out = -(-x.shape[1] // stride), -(-x.shape[2] // stride)
    x = jnp.pad(x, ((0, 0), (top, rows), (left, columns), (0, 0)))
    shifted = [
        x[:, a : a + (h_out - 1) * stride + 1 : stride, b : b + (w_out - 1) * stride + 1 : stride]
        for a in range(size[0])
        for b in range(size[1])
    ]
    return jnp.concatenate(shifted, axis=-1)


def max_pool(x: Float[Array, "n h w c"], size: int = 2) -> Float[Array, "n h_out w_out c"]:
    """The largest value in every `size` × `size` block: `h_out = h // size` (VALID padding).

    Reshape and maximum instead of `reduce_window`, whose second derivative is slow on a CPU.

    Raises:
        BadInput: if the image is smaller than one block.

    Example:
        >>> max_pool(jnp.arange(9.0).reshape(1, 3, 3, 1))
        Array([[[[4.]]]], dtype=float32)
    """
    n, h, w, c = x.shape
    h_out, w_out = h // size, w // size
    if not (h_out and w_out):
        raise BadInput(f"max_pool got {h}×{w} images; give at least {size}×{size}.")
    blocks = x[:, : h_out * size, : w_out * size].reshape(n, h_out, size, w_out, size, c)
    return blocks.max(axis=(2, 4))


def _conv_as_matmul(x: Array, kernel: Array, stride: int) -> Array:
    kh, kw, cin, cout = kernel.shape
    return patches(x, (kh, kw), stride) @ kernel.reshape(kh * kw * cin, cout)


def _same_padding(length: int, size: int, stride: int) -> tuple[int, int]:
    out = -(-length // stride)
    total = max((out - 1) * stride + size - length, 0)
    return total // 2, total - total // 2
