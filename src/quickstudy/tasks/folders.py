"""The user's own images: a folder with one sub-folder per class."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quickstudy.errors import DataError
from quickstudy.tasks.animations import tell_animated
from quickstudy.tasks.files_below import files_below
from quickstudy.tasks.images import ImageClasses, demand_memory
from quickstudy.tasks.labels import one_form
from quickstudy.tasks.pictures import (
    FOREIGN,
    FOREIGN_ADVICE,
    SUFFIXES,
    Ink,
    Look,
    read_picture,
)
from quickstudy.tasks.reading import Levels
from quickstudy.tasks.splits import RATIOS, class_splits, split_names

if TYPE_CHECKING:
    from quickstudy.tasks.episodes import Episodes

LOG = logging.getLogger(__name__)

# Made by Windows, macOS and network drives beside the user's own files.
_SYSTEM_FOLDERS = frozenset({"__macosx", "@eadir", "$recycle.bin"})


def image_folder(
    path: str | Path,
    *,
    size: tuple[int, int] = (28, 28),
    channels: int = 1,
    ink: Ink = "auto",
    levels: Levels | None = None,
) -> ImageClasses:
    """One class per sub-folder, of any number of images of any size.

    Images are scaled to fit, centred, and padded with 0 where their proportions differ. PNG, JPEG,
    BMP, GIF, TIFF, WebP and PPM are read, up to 89 million pixels; other images are refused by
    name. Files that are no images are passed over with one warning (`logging`) that counts them.
    Names are in one Unicode form, NFC.

    Args:
        path: the folder that holds one sub-folder per class.
        size: (h, w) in pixels of the result.
        channels: 1 for grey images `[classes, items, h, w]`, 3 for colour `[..., 3]`.
        ink: `quickstudy` shows its learners light ink (255) on a dark ground (0). `dark` inverts
            images of dark ink on light paper; `light` leaves images as they are; `auto` inverts
            those grey images whose border is lighter than middle grey, and no colour images.
        levels: the range of images of floats or 32-bit whole numbers; see `as_images`.

    Returns:
        uint8 images, the sub-folders' names, and how many images each class has.

    Raises:
        BadInput: a number of channels other than 1 and 3, or an unknown `ink`.
        DataError: there is no such folder, no sub-folder, one without images, or a file that is
            damaged, too large or of another format; the message names it.

    Example:
        >>> data = image_folder("photos", ink="dark")  # doctest: +SKIP
        >>> data.names, data.counts  # doctest: +SKIP
        (('cat', 'dog'), array([5, 3], dtype=int32))
    """
    return read_classes(class_files(path), Look(size, channels, ink, levels=levels))


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
) -> "Episodes":
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
        BadInput: an unknown split, too few classes for the ratios and ways, or fewer items than
            an episode needs.
        DataError: see `image_folder` and `read_splits`.

    Example:
        >>> tasks = folder_episodes(
        ...     "birds", "train", ways=5, shots=1, queries=15, size=(84, 84)
        ... )  # doctest: +SKIP
    """
    # Late, as all that needs JAX: classifiers of features start without it.
    from quickstudy.tasks.episodes import Episodes

    files = class_files(path)
    how: Any = {"ratios": ratios, "split_file": split_file, "seed": seed}
    own = split_names(class_splits(list(files), **how), split, ways=episodes.get("ways"))
    data = read_classes({name: files[name] for name in own}, Look(size, channels, "light"))
    return Episodes.of(data, **episodes)


def read_classes(files: Mapping[str, Sequence[Path]], look: Look) -> ImageClasses:
    """The images in these files, by class; for the errors see `read_picture`."""
    look.check()
    counts = np.array([len(own) for own in files.values()], np.int32)
    shape = look.size if look.channels == 1 else (*look.size, look.channels)
    whole = (len(files), int(counts.max(initial=0)), *shape)
    demand_memory(whole)
    # Filled one by one: stacking a list of images would hold all of them twice.
    images = np.zeros(whole, np.uint8)
    places = (place for row, n in zip(images, counts, strict=True) for place in row[:n])
    for place, pixels in zip(places, read_pixels(chain(*files.values()), look), strict=True):
        place[:] = pixels
    return ImageClasses(images, tuple(files), counts)


def class_files(path: str | Path) -> dict[str, list[Path]]:
    """The sub-folders' names, in Unicode's form NFC, each with its images, both sorted.

    Raises:
        DataError: there is no such folder, no sub-folder, one that holds no image or another
            folder, two of one name, or an image of a format that is not read.
    """
    folder = _existing_folder(path)
    found = [p for p in sorted(folder.iterdir()) if p.is_dir() and not _by_system(p)]
    passed = [p for p in sorted(folder.iterdir()) if p not in found]
    if not found:
        raise DataError(
            f"{folder} has no sub-folders; put the images of each class into a sub-folder "
            f"with the class's name, such as {folder / 'cat'}."
        )
    files: dict[str, list[Path]] = {}
    for own in found:
        name = one_form(own.name)
        if name in files:
            raise DataError(
                f"{folder} has two folders named {name!r}, written in two forms of Unicode; "
                "rename one, or move its images into the other."
            )
        files[name] = _images(own, sorted(own.iterdir()), passed)
        if not files[name]:
            raise DataError(
                f"{own} is empty of images ({_count(own)}); put images of {name!r} there or "
                "delete it."
            )
    _tell(folder, passed)
    # Again, for names in one Unicode form may sort otherwise than the folders' own.
    return dict(sorted(files.items()))


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
    levels: Levels | None = None,
) -> tuple[list[Path], np.ndarray]:
    """Unlabelled images: all in a folder and its sub-folders, or a single file.

    Args:
        path: the folder or the file.
        size: see `image_folder`.
        channels: see `image_folder`.
        ink: see `image_folder`.
        levels: see `image_folder`.

    Returns:
        The files, sorted, and their images, uint8 `[n, h, w]` or `[n, h, w, 3]`.

    Raises:
        BadInput: a number of channels other than 1 and 3, or an unknown `ink`.
        DataError: there is no image there, or one that is damaged, too large or of a format that
            is not read.
    """
    files = image_files(path)
    return files, np.stack([*read_pixels(files, Look(size, channels, ink, levels=levels).check())])


def image_files(path: str | Path) -> list[Path]:
    """The images in a folder and its sub-folders, sorted; or the single file. Links are followed.

    Raises:
        DataError: see `query_images`.
    """
    given = Path(path).expanduser()
    if given.exists() and not given.is_dir():
        return [given]
    folder, passed = _existing_folder(path), list[Path]()
    files = _images(folder, sorted(files_below(folder)), passed)
    if not files:
        raise DataError(f"{path} is empty of images; put the images to classify there.")
    _tell(folder, passed)
    return files


def _images(folder: Path, entries: Sequence[Path], passed: list[Path]) -> list[Path]:
    """The images among what a folder holds; what else there is is added to `passed`."""
    images = []
    for entry in entries:
        suffix = entry.suffix.lower()
        if any(_by_system(folder / part) for part in entry.relative_to(folder).parts):
            passed.append(entry)
        elif entry.is_dir():
            raise DataError(
                f"{entry} is a folder inside the class {folder.name!r}; move its images up into "
                f"{folder}. Or, where {folder.name} is no class but holds the classes' folders, "
                f"give {folder} itself."
            )
        elif suffix in FOREIGN:
            raise DataError(f"{entry} is {suffix[1:].upper()}, which is not read. {FOREIGN_ADVICE}")
        elif suffix in SUFFIXES:
            images.append(entry)
        else:
            passed.append(entry)
    return images


def read_pixels(files: Iterable[Path], look: Look) -> Iterator[np.ndarray]:
    """The images, one after the other, and at the end one warning that counts the animations."""
    animated = 0
    for file in files:
        picture = read_picture(file, look)
        animated += picture.animated
        yield picture.pixels
    tell_animated(animated)


def _tell(folder: Path, passed: Sequence[Path]) -> None:
    if passed:
        names = sorted({file.name for file in passed})
        shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        LOG.warning("%s: passed over %d that are no images here (%s)", folder, len(passed), shown)


def _existing_folder(path: str | Path) -> Path:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        if folder.exists():
            raise DataError(f"{folder} is a file; give the folder that the images are in.")
        missing = "file or folder" if folder.suffix else "folder"
        raise DataError(f"There is no {missing} {folder}; give one that is there.")
    return folder


def _count(folder: Path) -> str:
    others = len(os.listdir(folder))
    return "it holds nothing" if not others else f"it holds {others} other files"


def _by_system(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _SYSTEM_FOLDERS
