"""Random image transforms that run inside the compiled sampler."""

from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped, UInt32

from quickstudy.errors import BadInput


@runtime_checkable
class Transform(Protocol):
    """A random change of one episode's images; the key is consumed."""

    def __call__(
        self, images: Float[Array, "n h w c"], labels: Int[Array, " n"], *, key: PRNGKeyArray
    ) -> Float[Array, "n h w c"]:
        """Change the images `[n, h, w, c]`; `labels [n]` says which of them share a class."""
        ...


def quarter_turns(
    images: Shaped[Array, "n h w c"], turns: Int[Array, " n"]
) -> Shaped[Array, "n h w c"]:
    """Turn each square image anticlockwise by its own multiple of 90°.

    Args:
        images: `[n, h, w, c]` with h = w.
        turns: `[n]`, the number of quarter turns in 0 ... 3.

    Raises:
        BadInput: the images are not square.

    Example:
        >>> image = jnp.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
        >>> quarter_turns(image, jnp.array([1]))[0, :, :, 0].tolist()
        [[2, 4], [1, 3]]
    """
    if images.shape[1] != images.shape[2]:
        raise BadInput(
            f"Turning by 90° needs square images, but these are {images.shape[1]} high and "
            f"{images.shape[2]} wide: resize them, or leave the rotation out."
        )
    # Two binary choices instead of four stored rotations: turns = odd + 2 * half.
    odd, half = turns % 2, turns // 2
    turned = jnp.where(_per_image(odd), jnp.rot90(images, axes=(1, 2)), images)
    return jnp.where(_per_image(half), turned[:, ::-1, ::-1], turned)


class ClassTurns(eqx.Module):
    """A rotation by 0°, 90°, 180° or 270°, drawn anew for each class of each task.

    Support and query images of a class turn alike. This is how Omniglot is augmented in Finn et
    al. (2017, https://arxiv.org/abs/1703.03400): a task's class is a character in one rotation.

    Raises:
        BadInput: the images are not square.
    """

    def __call__(
        self, images: Float[Array, "n h w c"], labels: Int[Array, " n"], *, key: PRNGKeyArray
    ) -> Float[Array, "n h w c"]:
        """Turn the images `[n, h, w, c]`; equal labels turn alike. The key is consumed."""
        # A key per class: no need to know how many there are.
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, labels)
        turns = jax.vmap(lambda k: jax.random.randint(k, (), 0, 4))(keys)
        return quarter_turns(images, turns)


class Warp(eqx.Module):
    """A random affine map and a smooth elastic one, drawn for every image separately.

    The output at p takes its value from the input at

        c + R(a) · [[1, k], [0, 1]] · diag(s₁, s₂) · (p − c) + t + e(p)

    with the centre c, angle a ~ U[−rotation, rotation], shear k ~ U[−shear, shear],
    log s ~ U[−scale, scale] for each axis, t ~ U[−shift, shift]² and a displacement e that
    interpolates a 4×4 grid of normal vectors with standard deviation `elastic`. Values between
    pixels are bilinear, with the image rounded to 256 levels first; outside it is 0.

    Attributes:
        rotation: largest angle in radians.
        shear: largest shear, a ratio.
        scale: largest log-scale of each axis.
        shift: largest shift along each axis, as a share of the image's side.
        elastic: standard deviation of the displacement at the grid points, as a share of the side.

    Raises:
        BadInput: the images are smaller than 2×2.

    Example:
        >>> still = Warp(rotation=0, shear=0, scale=0, shift=0, elastic=0)
        >>> image = jnp.eye(4).reshape(1, 4, 4, 1)
        >>> bool((still(image, jnp.zeros(1, int), key=jax.random.key(0)) == image).all())
        True

    The elastic part is after Simard, Steinkraus and Platt (2003,
    https://doi.org/10.1109/ICDAR.2003.1227801), with a coarse grid in place of their filter.
    """

    # Moves more and bends less than the first version: as hard for a comparison of pixels, and
    # easier to learn.
    rotation: float = eqx.field(static=True, default=0.26)
    shear: float = eqx.field(static=True, default=0.15)
    scale: float = eqx.field(static=True, default=0.2)
    shift: float = eqx.field(static=True, default=0.125)
    elastic: float = eqx.field(static=True, default=0.015)

    def __call__(
        self, images: Float[Array, "n h w c"], labels: Int[Array, " n"], *, key: PRNGKeyArray
    ) -> Float[Array, "n h w c"]:
        """Warp the images `[n, h, w, c]`, each on its own. The key is consumed."""
        n, h, w, _ = images.shape
        affine_key, elastic_key = jax.random.split(key)
        matrix, shift = self._affine(affine_key, n)
        centre = jnp.array([(h - 1) / 2, (w - 1) / 2], jnp.float32)
        side = jnp.array([h, w], jnp.float32)
        offset = centre[None] + shift * side[None] - matrix @ centre
        rows = jnp.arange(h, dtype=jnp.float32)[None, :, None]
        columns = jnp.arange(w, dtype=jnp.float32)[None, None, :]
        at = [
            matrix[:, axis, 0, None, None] * rows
            + matrix[:, axis, 1, None, None] * columns
            + offset[:, axis, None, None]
            for axis in (0, 1)
        ]
        if self.elastic > 0:
            bend = self.elastic * smooth_noise(elastic_key, (2, n), (h, w))
            at = [at[0] + h * bend[0], at[1] + w * bend[1]]
        return bilinear(images, at[0], at[1])

    def _affine(
        self, key: PRNGKeyArray, n: int
    ) -> tuple[Float[Array, "n 2 2"], Float[Array, "n 2"]]:
        """The linear part and the shift (as a share of the side) of each image's map."""
        draws = jax.random.uniform(key, (6, n), minval=-1.0, maxval=1.0)
        angle, shear = self.rotation * draws[0], self.shear * draws[1]
        s1, s2 = jnp.exp(self.scale * draws[2:4])
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        # R(a) · [[1, k], [0, 1]] · diag(s1, s2), written out.
        matrix = jnp.stack(
            [
                jnp.stack([cos * s1, (shear * cos - sin) * s2], -1),
                jnp.stack([sin * s1, (shear * sin + cos) * s2], -1),
            ],
            axis=1,
        )
        return matrix, self.shift * draws[4:6].T


def smooth_noise(
    key: PRNGKeyArray, batch: tuple[int, ...], size: tuple[int, int]
) -> Float[Array, "... h w"]:
    """Smooth normal noise `[*batch, h, w]`: a 4×4 grid of N(0, 1), interpolated by cosines.

    Args:
        key: consumed.
        batch: the leading shape.
        size: (h, w) in pixels.
    """
    grid = jax.random.normal(key, (*batch, 4, 4))
    return jnp.einsum("hi,...ij,wj->...hw", _hats(size[0]), grid, _hats(size[1]))


def bilinear(
    images: Float[Array, "n h w c"], rows: Float[Array, "n H W"], columns: Float[Array, "n H W"]
) -> Float[Array, "n H W c"]:
    """The images' values at real-valued pixel coordinates; 0 outside.

    Args:
        images: `[n, h, w, c]` in [0, 1]; they are rounded to 256 levels.
        rows: `[n, H, W]`, where each output pixel looks, in pixels from the top.
        columns: `[n, H, W]`, the same from the left.
    """
    n, h, w, c = images.shape
    # The 2×2 neighbourhood of a pixel is four bytes, so it fits one 32-bit word, and an output
    # pixel costs one gather instead of four. Gathers are what a CPU waits for here.
    words = _neighbourhoods(images)
    # The border of zeros is one pixel wide: further out all is the same.
    rows, columns = jnp.clip(rows, -1.0, h), jnp.clip(columns, -1.0, w)
    top, left = jnp.floor(rows), jnp.floor(columns)
    index = (top.astype(jnp.int32) + 1) * (w + 2) + left.astype(jnp.int32) + 1
    # Clipped above: a second check of the bounds would only take time.
    word = jax.vmap(lambda one, i: one.at[i].get(mode="promise_in_bounds"))(
        words.reshape(n, (h + 2) * (w + 2), c), index
    )
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    a, b, d, e = (((word >> shift) & 255).astype(jnp.float32) for shift in (0, 8, 16, 24))
    upper = a + right * (b - a)
    lower = d + right * (e - d)
    return (upper + down * (lower - upper)) / 255


def _neighbourhoods(images: Float[Array, "n h w c"]) -> UInt32[Array, "n H W c"]:
    """One word per pixel `[n, h + 2, w + 2, c]`: it, its right, lower and lower right neighbour.

    Position (r, c) stands for the pixel (r − 1, c − 1): a border of zeros lies around the image.
    """
    levels = jnp.round(images * 255).astype(jnp.uint32)
    padded = jnp.pad(levels, ((0, 0), (1, 2), (1, 2), (0, 0)))
    here, right = padded[:, :-1, :-1], padded[:, :-1, 1:]
    lower, lower_right = padded[:, 1:, :-1], padded[:, 1:, 1:]
    return here | (right << 8) | (lower << 16) | (lower_right << 24)


def _hats(size: int) -> Float[Array, "size 4"]:
    """Weights `[size, 4]` that interpolate four knots smoothly over `size` pixels."""
    distance = np.abs(np.linspace(0, 3, size)[:, None] - np.arange(4))
    return jnp.asarray(np.where(distance < 1, 0.5 + 0.5 * np.cos(np.pi * distance), 0), jnp.float32)


def _per_image(bits: Int[Array, " n"]) -> Shaped[Array, "n 1 1 1"]:
    return (bits == 1)[:, None, None, None]
