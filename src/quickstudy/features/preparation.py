"""Images of any size, from files or arrays, as an encoder wants them: uint8 RGB of one size."""

import typing
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from quickstudy.errors import BadInput, demand_counts
from quickstudy.tasks.pictures import Look, opened_flat

Fit = Literal["pad", "crop", "stretch"]
Picture = str | Path | np.ndarray
"""The path of a file, or uint8 `[h, w]`, `[h, w, 1]` or `[h, w, 3]`."""


class Preparation(NamedTuple):
    """How an image of any size becomes what an encoder takes.

    Attributes:
        size: (h, w) in pixels.
        fit: `pad` scales the image until it fits in, and fills up with the median colour of its
            border; `crop` scales until it covers `size`, and cuts off what stands out, equally on
            both sides; `stretch` does not keep its proportions.

    Example:
        >>> Preparation((4, 4))(np.zeros((6, 9), np.uint8)).shape
        (4, 4, 3)
    """

    size: tuple[int, int] = (224, 224)
    fit: Fit = "pad"

    def check(self) -> "Preparation":
        """Itself.

        Raises:
            BadInput: an impossible size or an unknown `fit`.
        """
        demand_counts(height=self.size[0], width=self.size[1])
        if self.fit not in typing.get_args(Fit):
            raise BadInput(f"fit is {self.fit!r}; give pad, crop or stretch")
        return self

    def __call__(self, picture: Picture) -> UInt8[np.ndarray, "h w 3"]:
        """One image, resampled bicubically where its size is not the one wanted.

        A file's EXIF orientation is applied; grey becomes three equal channels, and what is
        transparent becomes white.

        Raises:
            BadInput: an array that is not uint8 `[h, w]`, `[h, w, 1]` or `[h, w, 3]`.
            DataError: the file is missing, damaged or no image.
        """
        h, w = self.size
        if isinstance(picture, np.ndarray):
            image = Image.fromarray(_rgb(picture))
        else:
            # Twice as many pixels as are wanted along each side are enough to resample from.
            file = Path(picture).expanduser()
            image = opened_flat(file, Look(channels=3), enough=2 * max(self.size))[0]
        if image.size == (w, h):
            return np.asarray(image)
        if self.fit == "crop":
            fitted = ImageOps.fit(image, (w, h), Image.Resampling.BICUBIC)
        elif self.fit == "pad":
            fitted = ImageOps.pad(image, (w, h), Image.Resampling.BICUBIC, _border(image))
        else:
            fitted = image.resize((w, h), Image.Resampling.BICUBIC)
        return np.asarray(fitted)


def _border(image: Image.Image) -> tuple[int, ...]:
    """The median colour along the four sides."""
    pixels = np.asarray(image)
    sides = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(level) for level in np.median(sides, 0))


def _rgb(pixels: Any) -> UInt8[np.ndarray, "h w 3"]:
    grey = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.dtype != np.uint8 or grey.ndim != 3 or grey.shape[2] not in (1, 3) or not grey.size:
        raise BadInput(
            f"an image is {pixels.dtype} {list(pixels.shape)}; give uint8, levels from 0 to 255, "
            "of the shape [h, w], [h, w, 1] or [h, w, 3]"
        )
    return np.ascontiguousarray(np.broadcast_to(grey, (*grey.shape[:2], 3)))
