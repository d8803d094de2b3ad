"""The one reader of inputs: how bytes, whole numbers and floats become what a network reads.

One convention holds for support and query sets, in Python and from files:

- uint8 is divided by 255 and uint16 by 65,535, always;
- other whole numbers need a stated range, `levels=(low, high)`;
- floats are numbers from 0 to 1, or have a stated range, which is mapped to 0 ... 1;
- no image is scaled by its own brightest pixel;
- channels come last: `[n, h, w, c]` with at most four of them;
- transparent images are laid on a stated background.
"""

from typing import Any

import numpy as np

from quickstudy.errors import BadInput

Levels = tuple[float, float]

DEPTHS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65_535}
MOST_CHANNELS = 4
# ITU-R BT.601, by which Pillow makes grey of colour, too.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def as_images(
    x: Any,
    *,
    levels: Levels | None = None,
    channels: int | None = None,
    background: float = 1.0,
) -> np.ndarray:
    """Images as a learner reads them, float32 `[n, h, w, c]` from 0 to 1.

    Two axes are one grey image. Three are one image if the last has at most four entries, its
    channels, and else several grey ones. Four are several images. So an answer has a first axis n
    in any case, and one image is n = 1.

    Args:
        x: uint8, uint16 or other numbers, `[h, w]`, `[h, w, c]`, `[n, h, w]` or `[n, h, w, c]`; c
            is 1 (grey), 2 (grey and alpha), 3 (colour) or 4 (colour and alpha).
        levels: the darkest and the brightest level. None: 0 and 255 for uint8, 0 and 65,535 for
            uint16, 0 and 1 for floats; other whole numbers need it.
        channels: 1 makes grey of colour by 0.299 R + 0.587 G + 0.114 B, 3 repeats grey; None
            keeps either.
        background: the brightness, from 0 to 1, behind what is transparent; white by default.

    Raises:
        BadInput: numbers outside the range, whole numbers without one, channels that come first,
            or a number of axes or channels that images do not have.

    Example:
        >>> as_images(np.full((28, 28), 255, np.uint8)).shape
        (1, 28, 28, 1)
        >>> float(as_images(np.full((2, 8, 8, 3), 51, np.uint8), channels=1)[0, 0, 0, 0])
        0.2...
    """
    unit = to_unit(x, levels)
    demand_channels_last(unit)
    images = _batched(unit)
    if images.shape[-1] in (2, 4):
        alpha = images[..., -1:]
        images = images[..., :-1] * alpha + background * (1 - alpha)
    if channels is None or channels == images.shape[-1]:
        return images
    if channels not in (1, 3):
        raise BadInput(f"channels is {channels}; give 1 (grey), 3 (colour) or None (as they are).")
    return (images @ LUMA)[..., None] if channels == 1 else np.repeat(images, 3, -1)


def to_unit(x: Any, levels: Levels | None = None, what: str = "the images") -> np.ndarray:
    """Numbers in the range `levels` as float32 from 0 to 1; for the range see `as_images`.

    Raises:
        BadInput: numbers outside it, or no range where one is needed; the message begins with
            `what` and tells the range found.

    Example:
        >>> to_unit(np.array([0, 1023]), levels=(0, 1023)).tolist()
        [0.0, 1.0]
    """
    given = np.asarray(x)
    if given.dtype == bool:
        return given.astype(np.float32)
    if not np.issubdtype(given.dtype, np.integer) and not np.issubdtype(given.dtype, np.floating):
        raise BadInput(f"{what} are {given.dtype}; give numbers: uint8, uint16 or floats.")
    low, high = _range(given, levels, what)
    least, most = (float(f(given)) if given.size else low for f in (np.min, np.max))
    if not np.isfinite([least, most]).all():
        raise BadInput(
            f"{what} are {given.dtype}, and some numbers in them are not finite; leave these "
            "images out, or replace the numbers, as np.nan_to_num does."
        )
    if not (low <= least and most <= high):
        raise BadInput(
            f"{what} are {given.dtype} in {least:g} ... {most:g}, outside {low:g} ... {high:g}; "
            "state their darkest and brightest level, levels=(low, high) (see as_images), or give "
            "uint8, as np.uint8(255 * (x - low) / (high - low)) makes it."
        )
    # Converted first: whole numbers without a sign would wrap around below 0.
    return ((given.astype(np.float32) - np.float32(low)) / np.float32(high - low)).astype("f4")


def to_bytes(x: Any, levels: Levels | None = None, what: str = "the images") -> np.ndarray:
    """The same as uint8, rounded: how images are kept. uint8 stays as it is.

    Example:
        >>> to_bytes(np.array([0.0, 0.5, 1.0])).tolist()
        [0, 128, 255]
    """
    given = np.asarray(x)
    if given.dtype == np.uint8 and levels in (None, (0, 255)):
        return given
    return np.rint(to_unit(given, levels, what) * np.float32(255)).astype(np.uint8)


def as_inputs(x: Any) -> Any:
    """What a network reads: bytes become numbers from 0 to 1, and grey images get a channel.

    The part of the convention that knows only types, and so holds inside compiled code.

    Args:
        x: uint8 or uint16 images `[n, h, w]` or `[n, h, w, c]`; or other numbers, or none, which
            stay as they are.

    Returns:
        float32 `[n, h, w, c]`, or `x`.

    Example:
        >>> as_inputs(np.full((2, 28, 28), 255, np.uint8)).shape
        (2, 28, 28, 1)
    """
    # Late: files are read, and classifiers of features work, without JAX.
    import jax
    import jax.numpy as jnp

    if not isinstance(x, jax.Array | np.ndarray) or x.dtype not in DEPTHS:
        return x
    images = jnp.asarray(x[..., None] if x.ndim == 3 else x)
    return images.astype(jnp.float32) / DEPTHS[np.dtype(x.dtype)]


def demand_readable(x: np.ndarray) -> None:
    """Refuse inputs `[n, ...]` that are images and break the convention.

    Images are bytes of any shape; whole numbers with three or four axes; and floats with four, of
    which the last has one or three entries. Other floats are features, in any range.

    Raises:
        BadInput: says what was given, and what to do.

    Example:
        >>> demand_readable(np.full((2, 8, 8, 3), 200.0))
        Traceback (most recent call last):
        quickstudy.errors.BadInput: x are float64 in 200 ... 200, outside 0 ... 1; state ...
    """
    if x.dtype in DEPTHS:
        demand_channels_last(x)
    elif np.issubdtype(x.dtype, np.integer) and x.ndim in (3, 4):
        _range(x, None, "x")
    elif np.issubdtype(x.dtype, np.floating) and x.ndim == 4 and x.shape[-1] in (1, 3):
        to_unit(x, None, "x")


def demand_channels_last(x: Any, what: str = "the images") -> None:
    """Refuse images of four or five axes whose channels come before height and width.

    Raises:
        BadInput: with the `np.moveaxis` that puts them last.
    """
    if x.ndim >= 4 and x.shape[-1] > MOST_CHANNELS and x.shape[-3] in (1, 3, 4):
        raise BadInput(
            f"{what} are {list(x.shape)}, with the channels first; they must come last: "
            "np.moveaxis(images, -3, -1)."
        )


def _range(x: np.ndarray, levels: Levels | None, what: str) -> Levels:
    if levels is not None:
        if not levels[0] < levels[1]:
            raise BadInput(f"levels are {levels}; give the darkest level and a brighter one.")
        return levels
    if np.issubdtype(x.dtype, np.floating):
        return 0, 1
    if x.dtype not in DEPTHS:
        raise BadInput(
            f"{what} are {x.dtype} {list(x.shape)}, whose range is not known; give "
            "images.astype(np.uint8) where they are in 0 ... 255, or state their darkest and "
            "brightest level by as_images(images, levels=(low, high))."
        )
    return 0, DEPTHS[x.dtype]


def _batched(x: np.ndarray) -> np.ndarray:
    if x.ndim == 2:
        return x[None, ..., None]
    if x.ndim == 3:
        return x[None] if x.shape[-1] <= MOST_CHANNELS else x[..., None]
    if x.ndim == 4 and 1 <= x.shape[-1] <= MOST_CHANNELS:
        return x
    raise BadInput(
        f"the images are {list(x.shape)}; give one, [h, w] or [h, w, c], or several, [n, h, w] or "
        "[n, h, w, c], with 1 to 4 channels c."
    )
