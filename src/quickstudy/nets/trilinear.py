"""The convolution as a trilinear form, for a CPU: one primitive that is its own derivative.

A SAME convolution is one side of the form  T(x, k, y) = Σ y · conv(x, k),  and so are its
derivatives, of any order: they are the partial derivatives of T by one of its three arguments,

    ∂T/∂y = conv(x, k)        the convolution                    `Side.OUTPUT`
    ∂T/∂x                     its transpose, from (y, k)         `Side.IMAGE`
    ∂T/∂k                     the correlation of x with y        `Side.KERNEL`

and each of the three is linear in both of its arguments, with the other two as transposes. Telling
JAX so (instead of letting it differentiate slices and products) keeps every derivative in a form
that is fast, with nothing but x, k and y kept in memory between passes.
"""

import enum
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Float

from quickstudy.nets import winograd

# Windows are made for so many bytes of images at a time, and used while they are in the cache.
CACHE_BYTES = 5 * 2**19

Shape = tuple[int, int, int, int]


class Side(enum.Enum):
    """By which argument T(x, k, y) is differentiated, and so what comes out."""

    OUTPUT = "output"
    IMAGE = "image"
    KERNEL = "kernel"


def convolve(
    x: Float[Array, "n h w cin"], kernel: Float[Array, "kh kw cin cout"], stride: int
) -> Float[Array, "n h_out w_out cout"]:
    """The SAME convolution: see `quickstudy.nets.conv.conv2d`, which chooses it on a CPU."""
    return _bind(x, kernel, side=Side.OUTPUT, stride=stride, image=x.shape, kernel=kernel.shape)


def windows(
    x: Float[Array, "n h w c"], size: tuple[int, int], stride: int
) -> Float[Array, "rows patch"]:
    """What each output of a SAME convolution sees, one row each: `patch = kh · kw · c`."""
    n, h, w, c = x.shape
    edges, taps = _taps((n, h, w, c), size, stride)
    x = jnp.pad(x, ((0, 0), *edges, (0, 0)))
    return jnp.concatenate([x[:, a, b] for a, b in taps], -1).reshape(-1, len(taps) * c)


def spread(
    rows: Float[Array, "rows patch"], image: Shape, size: tuple[int, int], stride: int
) -> Float[Array, "n h w c"]:
    """The transpose of `windows`: every row is added where it was read from."""
    n, h, w, c = image
    edges, _ = _taps(image, size, stride)
    parts = rows.reshape(n, out_size(h, stride), out_size(w, stride), *size, c)
    lengths = [-(-(sum(edge) + side) // stride) for edge, side in zip(edges, (h, w), strict=True)]
    # A place is read by every stride-th tap only, so places are added up in stride × stride grids
    # that are interleaved at the end: half the time of adding all taps, mostly zeros, in place.
    lines = [
        jnp.stack([_grid(parts, (a, b), lengths, stride) for b in range(stride)], 3)
        for a in range(stride)
    ]
    total = jnp.stack(lines, 2).reshape(n, *(stride * length for length in lengths), c)
    return total[:, edges[0][0] : edges[0][0] + h, edges[1][0] : edges[1][0] + w]


def _grid(
    parts: Float[Array, "n h_out w_out kh kw c"],
    first: tuple[int, int],
    lengths: list[int],
    stride: int,
) -> Float[Array, "n rows columns c"]:
    """What `spread` adds at the places `first`, `first + stride` … of both sides."""
    zero, moved = jnp.zeros((), parts.dtype), []
    for a in range(first[0], parts.shape[3], stride):
        for b in range(first[1], parts.shape[4], stride):
            margins = [
                ((tap - start) // stride, length - outs - (tap - start) // stride, 0)
                for tap, start, length, outs in zip(
                    (a, b), first, lengths, parts.shape[1:3], strict=True
                )
            ]
            padding = [(0, 0, 0), *margins, (0, 0, 0)]
            moved.append(jax.lax.pad(parts[:, :, :, a, b], zero, padding))
    if not moved:  # a kernel smaller than the stride reads some places never
        return jnp.zeros((parts.shape[0], *lengths, parts.shape[5]), parts.dtype)
    return functools.reduce(jnp.add, moved)


def _taps(image: Shape, size: tuple[int, int], stride: int) -> tuple[Any, Any]:
    """Padding of both sides of the image, and the places that each kernel entry reads."""
    edges, slices = [], []
    for length, k in zip(image[1:3], size, strict=True):
        outs = out_size(length, stride)
        total = max((outs - 1) * stride + k - length, 0)
        edges.append((total // 2, total - total // 2))
        slices.append([slice(a, a + (outs - 1) * stride + 1, stride) for a in range(k)])
    return edges, [(a, b) for a in slices[0] for b in slices[1]]


def out_size(length: int, stride: int) -> int:
    """Outputs of a SAME convolution along a side of that length."""
    return -(-length // stride)


def _output(x: Array, k: Array, stride: int, image: Shape, kernel: Shape) -> Array:
    product = windows(x, kernel[:2], stride) @ k.reshape(-1, kernel[3])
    return product.reshape(_shape(Side.OUTPUT, stride, image, kernel))


def _image(y: Array, k: Array, stride: int, image: Shape, kernel: Shape) -> Array:
    rows = y.reshape(-1, kernel[3]) @ k.reshape(-1, kernel[3]).T
    return spread(rows, image, kernel[:2], stride)


def _kernel(x: Array, y: Array, stride: int, image: Shape, kernel: Shape) -> Array:
    rows, y = windows(x, kernel[:2], stride), y.reshape(-1, kernel[3])
    # Of one channel the windows are narrow, and y is the wider matrix already.
    if kernel[2] == 1:
        return (rows.T @ y).reshape(kernel)
    # Of the two orders XLA's CPU product is 1.5 times faster in this one (the wider matrix last);
    # without the barrier it would undo the choice by merging the transposition into the product.
    return jax.lax.optimization_barrier(y.T @ rows).T.reshape(kernel)


DIRECT = {Side.OUTPUT: _output, Side.IMAGE: _image, Side.KERNEL: _kernel}
WINOGRAD: dict[Side, Callable[..., Array]] = {
    Side.OUTPUT: winograd.output,
    Side.IMAGE: winograd.image,
    Side.KERNEL: winograd.kernel,
}


def _evaluate(a: Array, b: Array, *, side: Side, stride: int, image: Shape, kernel: Shape) -> Array:
    """One side of T, a cache-sized block of images at a time."""
    faster = winograd.is_faster(stride, image, kernel)
    compute = (WINOGRAD if faster else DIRECT)[side]
    count, size = _blocks(stride, image, kernel)
    if count == 1:
        return compute(a, b, stride, image, kernel)
    block = (size, *image[1:])

    def cut(z: Array) -> Array:
        # Images of zeros add nothing to a kernel's derivative, and their outputs are cut off again.
        extra = count * size - image[0]
        padded = jnp.pad(z, ((0, extra), (0, 0), (0, 0), (0, 0)))
        return padded.reshape(count, size, *z.shape[1:])

    if side is Side.KERNEL:
        # In a `shard_map` a scan's carry must vary over the same mesh axes as what is added to it.
        zero = _varying_over(jnp.zeros(kernel, a.dtype), _axes(a))

        def add(total: Array, pair: tuple[Array, Array]) -> tuple[Array, None]:
            return total + compute(*pair, stride, block, kernel), None

        return jax.lax.scan(add, zero, (cut(a), cut(b)))[0]
    out = jax.lax.map(lambda part: compute(part, b, stride, block, kernel), cut(a))
    return out.reshape(-1, *out.shape[2:])[: image[0]]


def _blocks(stride: int, image: Shape, kernel: Shape) -> tuple[int, int]:
    """How many blocks of how many images each."""
    n, h, w, c = image
    # 4 bytes a number, of all windows of an image.
    per_image = 4 * out_size(h, stride) * out_size(w, stride) * kernel[0] * kernel[1] * c
    count = -(-n // max(1, CACHE_BYTES // per_image))
    # Blocks of one size, so that little of the last one is padding.
    return count, -(-n // count)


def _shape(side: Side, stride: int, image: Shape, kernel: Shape) -> Shape:
    if side is Side.OUTPUT:
        return image[0], out_size(image[1], stride), out_size(image[2], stride), kernel[3]
    return image if side is Side.IMAGE else kernel


convolution_p = Primitive("quickstudy_convolution")


def _bind(a: Any, b: Any, **params: Any) -> Any:
    axes = _axes(a) | _axes(b)
    return convolution_p.bind(_varying_over(a, axes), _varying_over(b, axes), **params)


def _axes(z: Any) -> frozenset[str]:
    """The mesh axes over which `z` varies inside a `shard_map`."""
    kind = jax.typeof(z)
    # JAX 0.10.2 renamed it.
    return kind.vma if hasattr(kind, "vma") else kind.mat.varying


def _varying_over(z: Any, axes: frozenset[str]) -> Any:
    """`z`, cast as JAX's own operations do unasked when they meet what varies over more axes."""
    missing = tuple(axes - _axes(z))
    return jax.lax.pcast(z, missing, to="varying") if missing else z


def _transpose_first(cotangent: Any, a: Any, b: Any, *, side: Side, **params: Any) -> Any:
    if side is Side.OUTPUT:
        return _bind(cotangent, b, side=Side.IMAGE, **params)
    if side is Side.IMAGE:
        return _bind(cotangent, b, side=Side.OUTPUT, **params)
    return _bind(b, cotangent, side=Side.IMAGE, **params)


def _transpose_second(cotangent: Any, a: Any, b: Any, *, side: Side, **params: Any) -> Any:
    if side is Side.OUTPUT:
        return _bind(a, cotangent, side=Side.KERNEL, **params)
    if side is Side.IMAGE:
        return _bind(cotangent, a, side=Side.KERNEL, **params)
    return _bind(a, cotangent, side=Side.OUTPUT, **params)


def _batch(arguments: Any, dims: Any, **params: Any) -> tuple[Any, int]:
    # What is computed is mapped, so that a kernel per task makes batched matrix products; XLA would
    # make a grouped convolution of it, which its CPU backend runs tens of times slower.
    return jax.vmap(functools.partial(_evaluate, **params), dims)(*arguments), 0


_compiled = jax.jit(_evaluate, static_argnames=("side", "stride", "image", "kernel"))
# Outside `jit`, too, one program instead of one for each slice and product.
convolution_p.def_impl(_compiled)
convolution_p.def_abstract_eval(
    lambda a, b, *, side, **params: a.update(shape=_shape(side, **params))
)
ad.defbilinear(convolution_p, _transpose_first, _transpose_second)
batching.primitive_batchers[convolution_p] = _batch
mlir.register_lowering(convolution_p, mlir.lower_fun(_evaluate, multiple_results=False))
