"""One image file as pixels: which formats are read, how large, and how they are flattened."""

import contextlib
import stat
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.reading import Levels, to_bytes

Ink = Literal["auto", "dark", "light"]
Fit = Literal["pad", "stretch"]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
    | {".ppm", ".pgm", ".pbm", ".pnm"}
)
# Images, too, or what people take for some: they are refused by name, not passed over.
FOREIGN = frozenset(
    {".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".j2k", ".psd", ".xcf", ".svg", ".eps"}
    | {".cr2", ".cr3", ".nef", ".nrw", ".arw", ".dng", ".raf", ".orf", ".rw2", ".pef", ".srw"}
    | {".ai", ".pdf", ".tga", ".ico", ".exr", ".hdr", ".dds", ".dcm"}
    | {".mp4", ".mov", ".avi", ".webm", ".mkv"}
)
FOREIGN_ADVICE = f"Formats that are read: {', '.join(FORMATS)}; convert it to JPEG or PNG."
_SINGLE = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".bmp"})
"""Of formats that have no frames."""
MAX_PIXELS = 89_000_000
"""Larger images are refused before they are decoded: a small file may unfold to gigabytes."""

# What Pillow raises for files that are damaged, truncated, or no images.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class Look(NamedTuple):
    """How an image becomes pixels.

    Attributes:
        size: (h, w) of the result.
        channels: 1 for grey, 3 for colour.
        ink: `dark` inverts dark ink on light paper; `light` leaves images as they are; `auto`
            inverts those grey images whose border is lighter than middle grey.
        fit: `pad` keeps an image's proportions and fills up with 0; `stretch` does not keep them.
        levels: the darkest and brightest level of images of floats or of 32-bit whole numbers;
            floats are from 0 to 1 without it, and images of 8 and 16 bits have their own range.
    """

    size: tuple[int, int] = (28, 28)
    channels: int = 1
    ink: Ink = "auto"
    fit: Fit = "pad"
    levels: Levels | None = None

    def check(self) -> "Look":
        """Itself, or `BadInput` if a setting is impossible."""
        if self.channels not in (1, 3):
            raise BadInput(f"channels is {self.channels}; give 1 (grey) or 3 (colour).")
        if self.ink not in ("auto", "dark", "light"):
            raise BadInput(f"ink is {self.ink!r}; give auto, dark or light.")
        if min(self.size) < 1:
            raise BadInput(f"size is {self.size}; give a height and a width of at least 1 pixel.")
        return self


class ReadPicture(NamedTuple):
    """What a file showed: uint8 `[h, w]` or `[h, w, 3]`, and whether that is one of many frames."""

    pixels: np.ndarray
    animated: bool


def read_picture(file: str | Path, look: Look) -> ReadPicture:
    """One image file. EXIF's orientation is applied, transparency laid on white paper, and 16
    bits are divided by 65,535; of an animation the first frame is shown.

    Raises:
        BadInput: an impossible `look`.
        DataError: the file is damaged, no image, no regular file, of a format that is not read,
            or larger than `MAX_PIXELS`; the message names it.
    """
    look.check()
    image, animated = opened_flat(Path(file), look)
    return ReadPicture(fitted(image, look), animated)


def fitted(image: Image.Image, look: Look) -> np.ndarray:
    """A flat image scaled to the size of a look, its ink light if the look says so."""
    (h, w), scale = look.size, min(look.size[0] / image.height, look.size[1] / image.width)
    if look.fit == "pad":
        # A panorama keeps a row of pixels at the least.
        h, w = (max(round(side * scale), 1) for side in (image.height, image.width))
    pixels = np.asarray(image.resize((w, h), Image.Resampling.LANCZOS))
    auto = look.ink == "auto" and look.channels == 1 and _border(pixels) > 127
    if look.ink == "dark" or auto:
        pixels = 255 - pixels
    padded = np.zeros((*look.size, *pixels.shape[2:]), np.uint8)
    top, left = (look.size[0] - h) // 2, (look.size[1] - w) // 2
    padded[top : top + h, left : left + w] = pixels
    return padded


def flat(image: Image.Image) -> np.ndarray:
    """An image that Pillow opened, upright, as uint8 `[h, w, 3]`; see `read_picture`.

    Raises:
        BadInput: numbers whose range is not known, or outside it.
    """
    upright = ImageOps.exif_transpose(image)
    kind = image.format or upright.format
    return np.asarray(_flatten(upright, kind, Look(channels=3), "the image"))


def read_image(
    file: str | Path,
    *,
    size: tuple[int, int] = (28, 28),
    channels: int = 1,
    ink: Ink = "auto",
    fit: Fit = "pad",
    levels: Levels | None = None,
) -> np.ndarray:
    """One image as uint8 `[h, w]` or `[h, w, 3]`; for the arguments see `Look`, for the errors
    `read_picture`."""
    return read_picture(file, Look(size, channels, ink, fit, levels)).pixels


def is_regular(file: Path) -> bool:
    """Whether it is a file: opening a pipe or a socket would wait for ever."""
    return stat.S_ISREG(file.stat().st_mode)


def is_animated(file: Path) -> bool:
    """Whether there are more frames in a file than the first; it is not decoded, and False where it
    cannot be read."""
    if file.suffix.lower() in _SINGLE:  # the most files by far need not be opened
        return False
    with contextlib.suppress(*_UNREADABLE):
        if is_regular(file):
            with Image.open(file, formats=FORMATS) as image:
                return _has_frames(image)
    return False


def unlike_training(files: Sequence[Path], image: tuple[int, int, int]) -> str | None:
    """What to tell whoever gives colour photographs to a learner of small grey drawings.

    Args:
        files: the images; at most nine of them, evenly spread, are looked at.
        image: height, width and channels that the learner was trained on.

    Returns:
        None where most are alike; else what was given and expected, and what to do.

    Raises:
        DataError: see `read_picture`.
    """
    h, w, channels = image
    looked = list(files)[:: max(len(files) // 9, 1)][:9]
    colourful = [file for file in looked if channels == 1 and _is_colourful(file)]
    if 2 * len(colourful) <= len(looked) or not looked:
        return None
    return (
        f"The learner was trained on grey images of {h}×{w} pixels, and {len(colourful)} of "
        f"{len(looked)} images that were looked at, such as {colourful[0]}, are in colour, "
        "as photographs are. It will do badly on them: give drawn characters, or take a learner "
        "of photographs."
    )


def _is_colourful(file: Path) -> bool:
    """A quarter of its area differs by 32 levels between channels: more than blue ink does."""
    return bool(np.mean(_apart(file) > 32) > 0.25)


def has_colour(file: Path) -> bool:
    """Whether a pixel of a small copy differs by more than 12 levels between channels.

    Raises:
        DataError: see `read_picture`.
    """
    # Most grey images say so, and need not be decoded; what is unreadable is told below.
    with contextlib.suppress(*_UNREADABLE), Image.open(file, formats=FORMATS) as image:
        if image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I"):
            return False
    return bool(_apart(file).max() > 12)


def _apart(file: Path) -> np.ndarray:
    """How far the channels of each pixel are from each other, in a small copy."""
    pixels = read_picture(file, Look((32, 32), 3, "light", "stretch")).pixels.astype(int)
    return np.ptp(pixels, -1)


def opened_flat(file: Path, look: Look, *, enough: int | None = None) -> tuple[Image.Image, bool]:
    """The image in a file, upright and flat, in its own size, and whether there are more frames.

    Args:
        file: the image; for the errors see `read_picture`.
        look: its channels and levels.
        enough: a JPEG is decoded at half, a quarter or an eighth of its size, which is much
            faster, where it still has so many pixels along each side; None decodes it whole.
    """
    try:
        if not is_regular(file):
            raise DataError(f"{file} is no regular file (a pipe, socket or device); move it away.")
        # Pillow goes by a file's contents: without the list it would open others under these names.
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError(f"{image.width}×{image.height}")
            if enough is not None:
                image.draft(None, (enough, enough))
            animated = _has_frames(image)
            upright = ImageOps.exif_transpose(image)
            return _flatten(upright, image.format, look, str(file)), animated
    except BadInput as error:
        raise DataError(str(error)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            f"{file} has more than {MAX_PIXELS:,} pixels ({error}) and is not decoded; make it "
            "smaller."
        ) from error
    except _UNREADABLE as error:
        hint = f" {FOREIGN_ADVICE}" if _is_heif(file) else ""
        raise DataError(
            f"{file} is damaged or not an image ({error}); replace it or move it away.{hint}"
        ) from error


def _flatten(image: Image.Image, kind: str | None, look: Look, name: str) -> Image.Image:
    """Eight bits per channel; what is transparent becomes white paper."""
    if image.mode.startswith(("I", "F")):
        # Pillow would cut such values off at 255.
        deep = image.mode.startswith("I;16") or (image.mode == "I" and kind in ("PNG", "PPM"))
        values = np.asarray(image).astype(np.uint16) if deep else np.asarray(image)
        levels = None if deep else look.levels
        pixels = to_bytes(values, levels, f"The pixels of {name}")
        if isinstance(clear := image.info.get("transparency"), int):
            pixels = np.where(values == clear, np.uint8(255), pixels)
        image = Image.fromarray(pixels)
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, "white")
        image = Image.alpha_composite(paper, clear)
    return image.convert("L" if look.channels == 1 else "RGB")


def _has_frames(image: Image.Image) -> bool:
    # The second picture of a phone's JPEG (MPO) is a preview, and no frame.
    return image.format != "MPO" and getattr(image, "is_animated", False)


def _is_heif(file: Path) -> bool:
    """HEIC and AVIF begin so, whatever their name."""
    try:
        with file.open("rb") as opened:
            return opened.read(12)[4:8] == b"ftyp"
    except OSError:
        return False


def _border(pixels: np.ndarray) -> float:
    """The median brightness along the four sides of a grey image."""
    sides = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return float(np.median(np.concatenate(sides)))
