"""Pictures among observations: Boxes of uint8, in whatever order their axes are."""

from typing import Any

import numpy as np
from jaxtyping import Float32

from quickstudy.errors import BadInput

COLOURS = 4  # channels of one frame, at most


def is_picture(space: Any) -> bool:
    """Whether a space is a picture: a Box of uint8 with two axes or more."""
    return space.dtype == np.uint8 and hasattr(space, "low") and len(space.shape) > 1


def picture_shape(space: Any) -> tuple[int, int, int]:
    """Height, width and channels of what `as_picture` makes.

    Raises:
        BadInput: the axes cannot be told apart, or one is empty.
    """
    if not all(space.shape):
        raise BadInput(
            f"observations are pictures of the shape {space.shape}, in which there is nothing to "
            "see; leave them out of observation_space"
        )
    try:
        height, width, channels = _channels_last(np.empty(space.shape, np.bool_)).shape
    except _Unknown:
        raise BadInput(
            f"observations are pictures of the shape {space.shape}, in which the channels cannot "
            "be told; give [height, width, channels], as "
            "gymnasium.wrappers.TransformObservation(env, f, Box(0, 255, (height, width, "
            "channels), np.uint8)) makes them"
        ) from None
    return height, width, channels


def as_picture(
    value: Any, low: float = 0.0, high: float = 255.0
) -> Float32[np.ndarray, "height width channels"]:
    """A picture between two bounds as numbers in [0, 1], with the channels last.

    Grey pictures `[h, w]` get one channel. Channels that come first `[c, h, w]`, as those of frames
    that are stacked, go last; so do the frames of `[frames, h, w, c]`.

    Example:
        >>> as_picture(np.full((4, 84, 84), 255, np.uint8)).shape
        (84, 84, 4)
    """
    # Made contiguous while there is one byte for each number.
    found = np.ascontiguousarray(_channels_last(np.asarray(value))).astype(np.float32)
    found -= np.float32(low)
    found /= np.float32(high - low or 1.0)
    return found


class _Unknown(Exception):
    """Axes that cannot be told apart."""


def _channels_last(value: np.ndarray) -> np.ndarray:
    """`[height, width, channels]`."""
    if value.ndim == 2:
        return value[..., None]
    if value.ndim == 4:
        return np.concatenate([_channels_last(frame) for frame in value], -1)
    if value.ndim == 3:
        a, b, c = value.shape
        if c > COLOURS and a < min(b, c):
            return np.moveaxis(value, 0, -1)
        if c <= max(COLOURS, min(a, b)):
            return value
    raise _Unknown
