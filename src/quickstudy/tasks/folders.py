"""The user's own images: a folder with one sub-folder per class."""

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.images import ImageClasses

Ink = Literal["auto", "dark", "light"]

# What Pillow raises for files that are damaged, truncated, no images, or absurdly large.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def image_folder(
    path: str | Path,
    *,
    size: tuple[int, int] = (28, 28),
    channels: int = 1,
    ink: Ink = "auto",
) -> ImageClasses:
    """One class per sub-folder, of any number of images of any size.

    Images are scaled to fit, centred, and padded with 0 where their proportions differ. Hidden
    files are passed over.

    Args:
        path: the folder that holds one sub-folder per class.
        size: (h, w) in pixels of the result.
        channels: 1 for grey images `[classes, items, h, w]`, 3 for colour `[..., 3]`.
        ink: `quickstudy` shows its learners light ink (255) on a dark ground (0). `dark` inverts
            images of dark ink on light paper; `light` leaves images as they are; `auto` inverts
            those grey images whose border is lighter than middle grey, and no colour images.

    Returns:
        uint8 images, the sub-folders' names, and how many images each class has.

    Raises:
        BadInput: a number of channels other than 1 and 3, or an unknown `ink`.
        DataError: there is no such folder, no sub-folder, an empty one, or a file that is damaged
            or no image; the message names it.

    Example:
        >>> data = image_folder("photos", ink="dark")  # doctest: +SKIP
        >>> data.names, data.counts  # doctest: +SKIP
        (('cat', 'dog'), array([5, 3], dtype=int32))
    """
    files = class_files(path)
    return ImageClasses.of(
        {
            name: np.stack(
                [read_image(file, size=size, channels=channels, ink=ink) for file in own]
            )
            for name, own in files.items()
        }
    )


def class_files(path: str | Path) -> dict[str, list[Path]]:
    """The sub-folders' names, each with its files, both sorted.

    Raises:
        DataError: there is no such folder, no sub-folder, or an empty one.
    """
    folder = _existing_folder(path)
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not _hidden(p))
    if not names:
        raise DataError(
            f"{folder} has no sub-folders; put the images of each class into a sub-folder "
            f"with the class's name, such as {folder / 'cat'}."
        )
    files = {name: _files(folder / name) for name in names}
    for name, own in files.items():
        if not own:
            raise DataError(f"{folder / name} is empty; put images of {name!r} there or delete it.")
        for file in own:
            if file.is_dir():
                raise DataError(
                    f"{file} is a folder inside the class {name!r}; move its images up into "
                    f"{folder / name}."
                )
    return files


def query_images(
    path: str | Path,
    *,
    size: tuple[int, int] = (28, 28),
    channels: int = 1,
    ink: Ink = "auto",
) -> tuple[list[Path], np.ndarray]:
    """Unlabelled images: all in a folder and its sub-folders, or a single file.

    Args:
        path: the folder or the file.
        size: see `image_folder`.
        channels: see `image_folder`.
        ink: see `image_folder`.

    Returns:
        The files, sorted, and their images, uint8 `[n, h, w]` or `[n, h, w, 3]`.

    Raises:
        BadInput: a number of channels other than 1 and 3, or an unknown `ink`.
        DataError: there is nothing there, or a file that is damaged or no image.
    """
    if Path(path).is_file():
        files = [Path(path)]
    else:
        folder = _existing_folder(path)
        files = sorted(
            p
            for p in folder.rglob("*")
            if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)
        )
    if not files:
        raise DataError(f"{path} is empty; put the images to classify there.")
    images = [read_image(file, size=size, channels=channels, ink=ink) for file in files]
    return files, np.stack(images)


def read_image(
    file: str | Path, *, size: tuple[int, int] = (28, 28), channels: int = 1, ink: Ink = "auto"
) -> np.ndarray:
    """One image as uint8 `[h, w]` or `[h, w, 3]`; for the arguments see `image_folder`.

    Raises:
        BadInput: a number of channels other than 1 and 3, or an unknown `ink`.
        DataError: the file is damaged or no image.
    """
    if channels not in (1, 3):
        raise BadInput(f"channels is {channels}; give 1 (grey) or 3 (colour).")
    if ink not in ("auto", "dark", "light"):
        raise BadInput(f"ink is {ink!r}; give auto, dark or light.")
    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image)
            flat = _flatten(upright, "L" if channels == 1 else "RGB")
    except UNREADABLE as error:
        raise DataError(
            f"{file} is damaged or not an image ({error}); replace it or move it away."
        ) from error
    scale = min(size[0] / flat.height, size[1] / flat.width)
    h, w = max(round(flat.height * scale), 1), max(round(flat.width * scale), 1)
    pixels = np.asarray(flat.resize((w, h), Image.Resampling.LANCZOS))
    if ink == "dark" or (ink == "auto" and channels == 1 and _border(pixels) > 127):
        pixels = 255 - pixels
    padded = np.zeros((*size, *pixels.shape[2:]), np.uint8)
    top, left = (size[0] - h) // 2, (size[1] - w) // 2
    padded[top : top + h, left : left + w] = pixels
    return padded


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    """Eight bits per channel; what is transparent becomes white paper."""
    if image.mode.startswith(("I", "F")):
        # Pillow would cut 16-bit values off at 255.
        values = np.asarray(image, np.float32)
        top = 65535 if values.max() > 255 else 255
        image = Image.fromarray(np.clip(values * 255 / top, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, "white")
        image = Image.alpha_composite(paper, clear)
    return image.convert(mode)


def _border(pixels: np.ndarray) -> float:
    """The median brightness along the four sides of a grey image."""
    sides = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return float(np.median(np.concatenate(sides)))


def _existing_folder(path: str | Path) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}; give one that holds images.")
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not _hidden(p))


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")
