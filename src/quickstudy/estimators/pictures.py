"""From what a user gives as X to a list of images, or to the verdict that it is features."""

import typing
from collections.abc import Iterator, Mapping, Set, ValuesView
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.folders import class_files, image_files
from quickstudy.tasks.pictures import Ink, Look, fitted, flat, read_picture
from quickstudy.tasks.reading import as_images

_OF_BYTES = "give the path of the file, or PIL.Image.open(io.BytesIO(data))"


@dataclass(frozen=True)
class Pictures:
    """Images that someone gave.

    Attributes:
        items: files, and uint8 arrays `[h, w, 3]`.
        labels: the names of their folders, where X was a folder of classes; else None.
    """

    items: list[Path | np.ndarray]
    labels: list[str] | None = None


def listed(x: Any) -> Any:
    """X, or what it holds in a list, where it can be read only once, as `Path.glob` can, or is a
    column of pandas."""
    if isinstance(x, str | Path | list | tuple | np.ndarray | Image.Image):
        return x
    is_column = getattr(x, "ndim", 0) == 1 and hasattr(x, "__iter__")
    return list(x) if is_column or isinstance(x, Iterator | ValuesView) else x


def pictures(x: Any, *, labelled: bool) -> Pictures | None:
    """The images in X, or None where X is features `[n, d]`.

    Args:
        x: a folder, a file, an image, or several files or images, as `listed` gives them; see
            `FewShotClassifier`.
        labelled: whether a folder is one of classes, with a sub-folder each. Otherwise all images
            in it and below are taken, sorted by name.

    Raises:
        BadInput: images that break the convention, no image at all, or something else among them.
        DataError: there is no such file or folder.
    """
    if isinstance(x, str | Path):
        return _from_path(Path(x).expanduser(), labelled=labelled)
    if isinstance(x, Image.Image):
        return Pictures([_from_item(x, "X")])
    # An array of two axes is features [n, d], and never one grey image.
    if getattr(x, "ndim", 0) in (3, 4):
        return Pictures(list(_bytes(np.asarray(x), "X")))
    if isinstance(x, bytes | bytearray | memoryview):
        raise BadInput(f"X is {len(x)} bytes; {_OF_BYTES}")
    if isinstance(x, list | tuple) or (isinstance(x, np.ndarray) and x.ndim == 1):
        return _from_items(list(x))
    # A sparse matrix may be a dict, too; scikit-learn refuses it by its name.
    plain = isinstance(x, Mapping | Set | int | float) and not getattr(x, "ndim", 0)
    if x is None or plain:
        raise BadInput(
            f"X is {_shown(x)}; give images, a folder of them or features [n, d], and a label for "
            "each as y. Of a dict {label: images}, X is its images, one after another"
        )
    return None


def pixels(item: Path | np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One image as uint8 `[h, w, 3]` of this size, scaled to fit, centred and padded with 0.

    Raises:
        DataError: a file is damaged or no image.
    """
    look = Look(size, 3, "light")
    if isinstance(item, Path):
        return read_picture(item, look).pixels
    return item if item.shape[:2] == tuple(size) else fitted(Image.fromarray(item), look)


def look_of(image: Any) -> Look:
    """How a learner sees images, by the setting `image` of an estimator.

    Raises:
        BadInput: it is not (height, width, channels), perhaps with an ink.

    Example:
        >>> look_of((28, 28, 1, "dark"))[:3]
        ((28, 28), 1, 'dark')
    """
    # As Python's own numbers, which other kinds and strings are told from.
    match [one.item() if isinstance(one, np.generic) else one for one in _listed(image)]:
        case [int(h), int(w), (1 | 3) as channels, *ink] if (
            h > 0 and w > 0 and (not ink or ink in [[one] for one in typing.get_args(Ink)])
        ):
            return Look((h, w), channels, *ink)
    raise BadInput(
        f"image is {image!r}; give (height, width, channels), with 1 channel (grey) or 3, such as "
        "(28, 28, 1), and where the learner knows dark ink on light paper, (28, 28, 1, 'light')"
    )


def as_learned(item: Path | np.ndarray, look: Look) -> np.ndarray:
    """One image as a learner takes it, uint8 `[h, w, channels]`: the same of a file and of what
    was read from it.

    Raises:
        BadInput: an impossible look.
        DataError: a file is damaged or no image.
    """
    if isinstance(item, Path):
        found = read_picture(item, look).pixels
    else:
        image = Image.fromarray(item)
        found = fitted(image.convert("L") if look.check().channels == 1 else image, look)
    return found[..., None] if look.channels == 1 else found


def _listed(image: Any) -> list[Any]:
    return list(image) if isinstance(image, tuple | list | np.ndarray) else [image]


def _is_picture(one: Any) -> bool:
    return isinstance(one, str | Path | Image.Image) or getattr(one, "ndim", 0) in (2, 3)


def _from_items(items: list[Any]) -> Pictures | None:
    """Several images; None for rows of features."""
    if not items:
        raise BadInput("X is empty, with 0 images or rows of features; give one or more")
    for place, one in enumerate(items):
        if isinstance(one, bytes | bytearray | memoryview):
            raise BadInput(f"X[{place}] is {len(one)} bytes; {_OF_BYTES}")
    images = [_is_picture(one) for one in items]
    if not any(images):
        return None
    if not all(images):
        place, of = images.index(False), images.index(True)
        raise BadInput(
            f"X[{place}] is {_shown(items[place])}, and X[{of}] is {_shown(items[of])}; give paths "
            "and images only: leave out what is missing, and make arrays of lists of pixels"
        )
    return Pictures([_from_item(one, f"X[{place}]") for place, one in enumerate(items)])


def _from_item(one: Any, name: str) -> Path | np.ndarray:
    if isinstance(one, str | Path):
        file = Path(one).expanduser()
        if file.is_dir():
            raise BadInput(
                f"{name} is the folder {file}; give the paths of the images in it, such as "
                "sorted(folder.iterdir()), or a folder alone as X"
            )
        if not file.is_file():
            raise DataError(f"there is no file {file}; give the paths of images")
        return file
    if isinstance(one, Image.Image):
        _demand_pixels(one.size[::-1], name)
        return flat(one)
    array = np.asarray(one)
    _demand_pixels(array.shape, name)
    return _bytes(array[None] if array.ndim == 3 else array[None, ..., None], name)[0]


def _shown(one: Any) -> str:
    """What an element is, short enough for a line."""
    if isinstance(one, Image.Image):
        return "an image"
    if hasattr(one, "shape"):
        return f"an array {list(one.shape)}"
    text = " ".join(repr(one).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _from_path(path: Path, *, labelled: bool) -> Pictures:
    if path.is_file():
        return Pictures([path])
    if not path.is_dir():
        raise DataError(f"there is no file or folder {path}; give one that holds images")
    if labelled:
        classes = class_files(path)
        names = [name for name, own in classes.items() for _ in own]
        return Pictures([file for own in classes.values() for file in own], names)
    return Pictures([*image_files(path)])


def _bytes(x: np.ndarray, name: str) -> np.ndarray:
    """uint8 `[n, h, w, 3]` by the convention of `quickstudy.as_images`."""
    _demand_pixels(x.shape, name)
    return np.rint(255 * as_images(x, channels=3)).astype(np.uint8)


def _demand_pixels(shape: tuple[int, ...], name: str) -> None:
    if 0 in shape:
        raise BadInput(
            f"{name} is {list(shape)}, with 0 pixels; give one image or more, each of a height and "
            "a width of 1 pixel or more"
        )
