"""Winograd's minimal filtering F(2×2, 3×3): a 3×3 convolution with 2.25 times fewer products.

    conv(x, k) = Aᵀ [ (G k Gᵀ) ⊙ (Bᵀ x B) ] A        for every 4×4 tile of x, 2×2 tile of outputs

(Lavin and Gray, 2016, https://arxiv.org/abs/1509.09308), with the rows of G (1, 0, 0),
(½, ½, ½), (½, −½, ½) and (0, 0, 1). Over channels ⊙ is sixteen matrix
products, whose operands are also less than half as large as the 3×3 windows. Bᵀ and Aᵀ hold only
0 and ±1, so the result differs from the plain sum by ordinary rounding.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Shape = tuple[int, int, int, int]

# Sixteen products of fewer rows than this cost more than one product over windows.
MIN_TILES = 200
# In smaller images too many tiles hang over the edge.
MIN_SIDE = 7


def is_faster(stride: int, image: Shape, kernel: Shape) -> bool:
    """Whether this convolution is one that the algorithm can do, and large enough to gain."""
    n, h, w, _ = image
    # With few channels the transforms cost more than the products save.
    large = n * -(-h // 2) * -(-w // 2) >= MIN_TILES and min(h, w) >= MIN_SIDE
    return stride == 1 and kernel[:2] == (3, 3) and min(kernel[2:]) >= 16 and large


def output(x: Array, k: Array, stride: int, image: Shape, kernel: Shape) -> Array:
    """conv(x, k)."""
    n, h, w, _ = image
    rows, columns = -(-h // 2), -(-w // 2)
    products = _image_tiles(x) @ _kernel_tiles(k)
    p = products.reshape(4, 4, n, rows, columns, kernel[3])
    halves = jnp.stack([p[0] + p[1] + p[2], p[1] - p[2] - p[3]], 3)
    # As in `_image_tiles`: otherwise XLA computes the first stage again for each use in the second.
    q = jax.lax.optimization_barrier(halves).reshape(4, n, 2 * rows, columns, kernel[3])
    y = jnp.stack([q[0] + q[1] + q[2], q[1] - q[2] - q[3]], 3)
    return y.reshape(n, 2 * rows, 2 * columns, kernel[3])[:, :h, :w]


def image(y: Array, k: Array, stride: int, image: Shape, kernel: Shape) -> Array:
    """The transpose by the image: the convolution of `y` with the kernel turned around."""
    turned = k[::-1, ::-1].swapaxes(2, 3)
    swapped = (3, 3, kernel[3], kernel[2])
    return output(y, turned, stride, (*image[:3], kernel[3]), swapped)


def kernel(x: Array, y: Array, stride: int, image: Shape, kernel: Shape) -> Array:
    """The transpose by the kernel: Gᵀ [ Σ_tiles (Bᵀ x B)ᵀ (A y Aᵀ) ] G."""
    products = _image_tiles(x).swapaxes(1, 2) @ _output_tiles(y)
    p = products.reshape(4, 4, *kernel[2:])
    for _ in range(2):  # Gᵀ p G: one side at a time
        half_sum, half_difference = 0.5 * (p[1] + p[2]), 0.5 * (p[1] - p[2])
        p = jnp.stack([p[0] + half_sum, half_difference, half_sum + p[3]]).swapaxes(0, 1)
    return p


def _kernel_tiles(k: Float[Array, "3 3 cin cout"]) -> Float[Array, "16 cin cout"]:
    """G k Gᵀ. Sums, because XLA's CPU product with a 4×3 matrix is many times slower."""
    for _ in range(2):
        outer = 0.5 * (k[0] + k[2])
        k = jnp.stack([k[0], outer + 0.5 * k[1], outer - 0.5 * k[1], k[2]]).swapaxes(0, 1)
    return k.reshape(16, *k.shape[2:])


def _image_tiles(x: Float[Array, "n h w c"]) -> Float[Array, "16 tiles c"]:
    """Bᵀ x B of overlapping 4×4 tiles. The barriers keep XLA from computing stages twice."""
    n, h, w, c = x.shape
    rows, columns = -(-h // 2), -(-w // 2)
    x = jnp.pad(x, ((0, 0), (1, 2 * rows + 1 - h), (1, 2 * columns + 1 - w), (0, 0)))
    x = jax.lax.optimization_barrier(x)
    even, odd = x[:, 0::2], x[:, 1::2]
    x = jnp.stack(_combine(even[:, :-1], odd[:, :-1], even[:, 1:], odd[:, 1:]))
    x = jax.lax.optimization_barrier(x)
    even, odd = x[:, :, :, 0::2], x[:, :, :, 1::2]
    first, last = np.s_[:, :, :, :-1], np.s_[:, :, :, 1:]
    tiles = jnp.stack(_combine(even[first], odd[first], even[last], odd[last]), 1)
    return tiles.reshape(16, n * rows * columns, c)


def _combine(d0: Array, d1: Array, d2: Array, d3: Array) -> list[Array]:
    return [d0 - d2, d1 + d2, d2 - d1, d1 - d3]


def _output_tiles(y: Float[Array, "n h w c"]) -> Float[Array, "16 tiles c"]:
    """A y Aᵀ of 2×2 tiles. Without the first barrier what made `y` is computed four times."""
    n, h, w, c = y.shape
    rows, columns = -(-h // 2), -(-w // 2)
    y = jnp.pad(y, ((0, 0), (0, 2 * rows - h), (0, 2 * columns - w), (0, 0)))
    y = jax.lax.optimization_barrier(y)
    first, second = y[:, 0::2], y[:, 1::2]
    y = jax.lax.optimization_barrier(jnp.stack([first, first + second, first - second, -second]))
    first, second = y[:, :, :, 0::2], y[:, :, :, 1::2]
    tiles = jnp.stack([first, first + second, first - second, -second], 1)
    return tiles.reshape(16, n * rows * columns, c)
