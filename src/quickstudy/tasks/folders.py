"""The user's own images: a folder with one sub-folder per class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.splits import RATIOS, class_splits, split_names

Ink = Literal["auto", "dark", "light"]
Fit = Literal["pad", "stretch"]

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
    return read_classes(class_files(path), size=size, channels=channels, ink=ink)


def folder_episodes(
    path: str | Path,
    split: str,
    *,
    size: tuple[int, int] = (84, 84),
    channels: int = 3,
    ratios: Sequence[float] = RATIOS,
    split_file: str | Path | None = None,
    seed: int = 0,
    **episodes: Any,
) -> Episodes:
    """Episodes of one split of the user's own images, a folder with one sub-folder per class.

    The splits are of classes: no class of one is in another. Only the images of the asked split
    are read, scaled to fit, centred, and padded with 0. Their brightness stays as it is; for drawn
    characters, whose ink `image_folder` finds, combine `image_folder`, `select_split` and
    `Episodes.of`.

    Args:
        path: the folder that holds one sub-folder per class; links in it are followed.
        split: `train`, `validation`, `test`, or `train+validation`.
        size: (h, w) in pixels of the result.
        channels: 3 for colour, 1 for grey.
        ratios: shares (floats) or numbers (ints) of classes of the three splits.
        split_file: class names per split instead of ratios; see `read_splits`.
        seed: divides the classes; the same seed and names give the same splits for ever.
        episodes: `ways`, `shots`, `queries`, `transform` ...: see `Episodes`.

    Raises:
        BadInput: an unknown split, too few classes for the ratios, or fewer classes or items than
            an episode needs.
        DataError: a folder is missing or empty, a file is damaged or no image, or the split file
            is; the message names it.

    Example:
        >>> tasks = folder_episodes(
        ...     "birds", "train", ways=5, shots=1, queries=15, size=(84, 84)
        ... )  # doctest: +SKIP
    """
    files = class_files(path)
    splits = class_splits(list(files), ratios=ratios, split_file=split_file, seed=seed)
    own = {name: files[name] for name in split_names(splits, split)}
    return Episodes.of(read_classes(own, size=size, channels=channels, ink="light"), **episodes)


def read_classes(
    files: Mapping[str, Sequence[Path]],
    *,
    size: tuple[int, int],
    channels: int,
    ink: Ink = "light",
    fit: Fit = "pad",
) -> ImageClasses:
    """The images in these files, by class; for the arguments and errors see `read_image`."""
    _check_choices(size, channels, ink)
    counts = np.array([len(own) for own in files.values()], np.int32)
    shape = size if channels == 1 else (*size, channels)
    images = np.zeros((len(files), counts.max(initial=0), *shape), np.uint8)
    for row, own in zip(images, files.values(), strict=True):
        for place, file in zip(row[: len(own)], own, strict=True):
            place[:] = read_image(file, size=size, channels=channels, ink=ink, fit=fit)
    return ImageClasses(images, tuple(files), counts)


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
                    f"{folder / name}. Or, where {name} is no class but holds the classes' "
                    f"folders, give {folder / name} itself."
                )
    return files


def inside(folder: Path, file: Path) -> Path:
    """`file`, whose name was read from a file or an archive, if it stays inside `folder`.

    Raises:
        DataError: the path, or the link that it is, leads out of the folder.
    """
    if ".." in file.parts or not file.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{file} leads out of {folder}; it is not read. Correct that path.")
    return file


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
    file: str | Path,
    *,
    size: tuple[int, int] = (28, 28),
    channels: int = 1,
    ink: Ink = "auto",
    fit: Fit = "pad",
) -> np.ndarray:
    """One image as uint8 `[h, w]` or `[h, w, 3]`.

    Args:
        file: the image.
        size: see `image_folder`.
        channels: see `image_folder`.
        ink: see `image_folder`.
        fit: `pad` keeps an image's proportions and fills up with 0; `stretch` does not keep them.

    Raises:
        BadInput: a number of channels other than 1 and 3, a size below 1, or an unknown `ink`.
        DataError: the file is damaged or no image.
    """
    _check_choices(size, channels, ink)
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
    if fit == "stretch":
        h, w = size
    pixels = np.asarray(flat.resize((w, h), Image.Resampling.LANCZOS))
    if ink == "dark" or (ink == "auto" and channels == 1 and _border(pixels) > 127):
        pixels = 255 - pixels
    padded = np.zeros((*size, *pixels.shape[2:]), np.uint8)
    top, left = (size[0] - h) // 2, (size[1] - w) // 2
    padded[top : top + h, left : left + w] = pixels
    return padded


def _check_choices(size: tuple[int, int], channels: int, ink: str) -> None:
    if channels not in (1, 3):
        raise BadInput(f"channels is {channels}; give 1 (grey) or 3 (colour).")
    if ink not in ("auto", "dark", "light"):
        raise BadInput(f"ink is {ink!r}; give auto, dark or light.")
    if min(size) < 1:
        raise BadInput(f"size is {size}; give a height and a width of at least 1 pixel.")


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
