"""From what a user gives as X to a list of images, or to the verdict that it is features."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from quickstudy.errors import BadInput, DataError

CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Pictures:
    """Images that someone gave.

    Attributes:
        items: files, and uint8 arrays `[h, w, 3]`.
        labels: the names of their folders, where X was a folder of classes; else None.
    """

    items: list[Path | np.ndarray]
    labels: list[str] | None = None


def pictures(x: Any, *, labelled: bool) -> Pictures | None:
    """The images in X, or None where X is features `[n, d]`.

    Args:
        x: a folder, a file, an image, or several files or images; see `FewShotClassifier`.
        labelled: whether a folder is one of classes, with a sub-folder each. Otherwise all images
            in it and below are taken, sorted by name.

    Raises:
        BadInput: images that break the convention.
        DataError: there is no such file or folder.
    """
    if isinstance(x, str | Path):
        return _from_path(Path(x), labelled=labelled)
    if isinstance(x, Image.Image):
        return Pictures([_from_pil(x)])
    if getattr(x, "ndim", 0) in (3, 4):
        return Pictures(list(_bytes(np.asarray(x))))
    many = isinstance(x, list | tuple) or (isinstance(x, np.ndarray) and x.ndim == 1)
    if many and len(x) > 0 and all(_is_picture(one) for one in x):
        return Pictures([_from_item(one) for one in x])
    return None


def pixels(item: Path | np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One image as uint8 `[h, w, 3]` of this size, scaled to fit, centred and padded with 0.

    Raises:
        DataError: a file is damaged or no image.
    """
    if isinstance(item, Path):
        from quickstudy.tasks.pictures import read_image

        return read_image(item, size=size, channels=3, ink="light")
    if item.shape[:2] == tuple(size):
        return item
    scale = min(size[0] / item.shape[0], size[1] / item.shape[1])
    h, w = (max(round(side * scale), 1) for side in item.shape[:2])
    small = np.asarray(Image.fromarray(item).resize((w, h), Image.Resampling.LANCZOS))
    padded = np.zeros((*size, 3), np.uint8)
    top, left = (size[0] - h) // 2, (size[1] - w) // 2
    padded[top : top + h, left : left + w] = small
    return padded


def _is_picture(one: Any) -> bool:
    return isinstance(one, str | Path | Image.Image) or getattr(one, "ndim", 0) in (2, 3)


def _from_item(one: Any) -> Path | np.ndarray:
    if isinstance(one, str | Path):
        file = Path(one)
        if not file.is_file():
            raise DataError(f"there is no file {file}; give the paths of images")
        return file
    if isinstance(one, Image.Image):
        return _from_pil(one)
    array = np.asarray(one)
    return _bytes(array[None] if array.ndim == 3 else array[None, ..., None])[0]


def _from_path(path: Path, *, labelled: bool) -> Pictures:
    if path.is_file():
        return Pictures([path])
    if not path.is_dir():
        raise DataError(f"there is no file or folder {path}; give one that holds images")
    if labelled:
        from quickstudy.tasks.folders import class_files

        classes = class_files(path)
        names = [name for name, own in classes.items() for _ in own]
        return Pictures([file for own in classes.values() for file in own], names)
    below = [(file, file.relative_to(path).parts) for file in sorted(path.rglob("*"))]
    seen = [f for f, parts in below if f.is_file() and not any(p[0] == "." for p in parts)]
    if not seen:
        raise DataError(f"{path} is empty; put the images to classify there")
    return Pictures(list(seen))


def _from_pil(image: Image.Image) -> np.ndarray:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        levels = np.asarray(upright)
        deep = upright.mode.startswith("I;16")
        return _bytes((levels.astype(np.uint16) if deep else levels)[None, ..., None])[0]
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return np.asarray(upright.convert("RGB"))


def _bytes(x: np.ndarray) -> np.ndarray:
    """uint8 `[n, h, w, 3]`; bytes / 255, 16 bits / 65,535 and floats from 0 to 1 are one scale.

    Three axes are one image if the last has 3 or 4 entries, its channels, and else grey images.
    """
    if x.ndim == 3:
        x = x[None] if x.shape[-1] in (3, 4) else x[..., None]
    if x.shape[-1] not in CHANNELS:
        first = x.shape[1] in CHANNELS
        raise BadInput(
            f"the images are {list(x.shape)}; give [n, h, w], [n, h, w, 1], [n, h, w, 3] or "
            "[n, h, w, 4]" + (": np.moveaxis(images, 1, -1) puts channels last" if first else "")
        )
    if x.dtype == np.uint16:
        x = np.rint(x / 257)
    elif x.dtype == bool or x.dtype.kind == "f":
        low, high = float(x.min(initial=0)), float(x.max(initial=0))
        if not (low >= 0 and high <= 1):
            raise BadInput(
                f"the images are {x.dtype} in {low:g} ... {high:g}; give numbers from 0 to 1, or "
                "images.astype(np.uint8) where they are in 0 ... 255"
            )
        x = np.rint(x.astype(np.float64) * 255)
    elif x.dtype != np.uint8:
        raise BadInput(
            f"the images are {x.dtype}, whose range is not known; give images.astype(np.uint8) "
            "where they are in 0 ... 255, or floats from 0 to 1"
        )
    if x.shape[-1] == 4:
        alpha = x[..., 3:] / 255.0
        x = np.rint(x[..., :3] * alpha + 255 * (1 - alpha))
    return np.repeat(x, 3, -1).astype(np.uint8) if x.shape[-1] == 1 else x.astype(np.uint8)
