"""Emoji: about 1,600 small pictures, each drawn by four artists."""

import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from quickstudy.errors import BadInput, DataError
from quickstudy.files import cache_folder
from quickstudy.progress import Counter, silent
from quickstudy.tasks.cache import load_cached, save_compressed
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.icon_sets import IconSet, commands, find_icon_sets, read_icon_set
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.pictures import Look, fitted
from quickstudy.tasks.splits import split_parts

LOG = logging.getLogger(__name__)

ARTISTS = ("noto", "twemoji", "fluent-emoji-flat", "openmoji")
"""The sets, in the order of a class's images."""
DRAWN = 224
"""Pixels in height and width, as pretrained networks read them."""
_SKIN = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
_FACING_RIGHT = "-200d-27a1"


def emoji(
    split: str,
    *,
    size: int = 32,
    data: str | Path | None = None,
    progress: Counter = silent,
    **episodes: Any,
) -> Episodes:
    """Episodes of emoji: a class is one emoji, and its four images are by four artists.

    A class is a sequence of code points of which all four sets have a drawing of its own. Variants
    of skin tone, and those that face right, which mirror another, are no classes. The versions of
    2026 have 1,576. Every emoji belongs to one split by its code points alone, in all versions of
    the packages: with h their SHA-256, read as a number from 0 to 1, to training if h < 0.64, to
    validation if h < 0.8, and to test otherwise; that makes 1,023, 268 and 285. Relatives, such as
    an astronaut and a woman who is one, may be in different splits.

    The drawings are the artists', and not part of this package: Noto Emoji (Google, Apache-2.0),
    Twemoji (Twitter, CC-BY-4.0), Fluent Emoji Flat (Microsoft, MIT) and OpenMoji (CC-BY-SA-4.0).

    Args:
        split: `train`, `validation`, `test`, or `train+validation`.
        size: height and width in pixels, at most 224. Emoji are drawn once at 224×224, on white,
            scaled, and kept in the cache folder.
        data: the folder with the four npm packages `@iconify-json/{noto,twemoji,fluent-emoji-flat,
            openmoji}`, as `npm pack` or `npm install` leaves them, or with a sub-folder `emoji` of
            that kind; by default `QUICKSTUDY_DATA`.
        progress: called as `progress(what, done, total)`.
        episodes: `ways`, `shots`, `queries`, `transform` ...: see `Episodes`. A class has four
            images, hence shots + queries ≤ 4.

    Raises:
        BadInput: an unknown split, an impossible size, an episode that does not fit into the
            split, or resvg-py (extra `emoji`) is not installed.
        DataError: packages are missing or damaged; the message says how to get them.

    Example:
        >>> tasks = emoji(
        ...     "train", data="packages", ways=5, shots=1, queries=3
        ... )  # doctest: +SKIP
        >>> tasks.sample(jax.random.key(0)).support.x.shape  # doctest: +SKIP
        (5, 32, 32, 3)

    Source: https://iconify.design, which packs the sets; the split is our own.
    """
    return Episodes.of(emoji_classes(split, size=size, data=data, progress=progress), **episodes)


def emoji_classes(
    split: str,
    *,
    size: int = 32,
    data: str | Path | None = None,
    progress: Counter = silent,
) -> ImageClasses:
    """The images of a split, uint8 `[classes, 4, size, size, 3]`; for the arguments and errors
    see `emoji`. Classes are called as Noto calls them."""
    if not 1 <= size <= DRAWN:
        raise BadInput(f"size is {size}; emoji are drawn at {DRAWN}×{DRAWN}: give 1 to {DRAWN}.")
    parts = split_parts(split)
    sets = _read_sets(data)
    codes = _common(sets)
    images = _images(sets, codes, size, progress)
    chosen = [number for number, code in enumerate(codes) if split_of(code) in parts]
    names = tuple(sets[ARTISTS[0]].names[codes[number]] for number in chosen)
    return ImageClasses(images[chosen], names, np.full(len(chosen), len(ARTISTS), np.int32))


def count_emoji(split: str, data: str | Path | None = None) -> int:
    """How many classes a split has; nothing is drawn. For the errors see `emoji`."""
    parts = split_parts(split)
    return sum(split_of(code) in parts for code in _common(_read_sets(data)))


def split_of(code: str) -> str:
    """The split of an emoji, by its code points.

    Example:
        >>> [split_of(code) for code in ("1f600", "1f607", "2764")]
        ['train', 'validation', 'test']
    """
    h = int.from_bytes(hashlib.sha256(code.encode()).digest()[:8]) / 2**64
    return "train" if h < 0.64 else "validation" if h < 0.8 else "test"


def _read_sets(data: str | Path | None) -> dict[str, IconSet]:
    given = data or os.environ.get("QUICKSTUDY_DATA")
    if not given:
        raise DataError(f"Emoji are not downloaded. {commands(ARTISTS)}")
    folder = Path(given).expanduser()
    inside = folder / "emoji"
    found = find_icon_sets(inside if inside.is_dir() else folder, ARTISTS)
    return {name: read_icon_set(source) for name, source in found.items()}


def _common(sets: Mapping[str, IconSet]) -> list[str]:
    """The code points that all sets draw, sorted.

    Raises:
        DataError: there are none.
    """
    shared = set.intersection(*(set(own.names) for own in sets.values()))
    codes = sorted(code for code in shared if not _is_variant(code))
    if not codes:
        raise DataError(
            f"The packages {', '.join(str(own.source) for own in sets.values())} have no emoji in "
            f"common. {commands(ARTISTS)}"
        )
    return codes


def _is_variant(code: str) -> bool:
    return not _SKIN.isdisjoint(code.split("-")) or code.endswith(_FACING_RIGHT)


def _images(
    sets: Mapping[str, IconSet], codes: list[str], size: int, progress: Counter
) -> np.ndarray:
    """All drawings, uint8 `[classes, artists, size, size, 3]`, from the cache where it has them."""
    digests = "".join(sets[name].digest for name in ARTISTS)
    key = hashlib.sha256(digests.encode()).hexdigest()[:16]
    path = cache_folder() / f"emoji-{size}-{key}.npz"
    shape = (len(codes), len(ARTISTS), size, size, 3)
    images = (load_cached(path) or {}).get("images")
    if images is None or images.shape != shape or images.dtype != np.uint8:
        if size == DRAWN:
            images = _drawn(sets, codes, progress)
        else:
            images = _scaled(_images(sets, codes, DRAWN, progress), size)
        save_compressed(path, images=images)
    return images


def _drawn(sets: Mapping[str, IconSet], codes: list[str], progress: Counter) -> np.ndarray:
    images = np.empty((len(codes), len(ARTISTS), DRAWN, DRAWN, 3), np.uint8)
    for number, (code, row) in enumerate(zip(codes, images, strict=True), 1):
        for place, name in zip(row, ARTISTS, strict=True):
            place[:] = sets[name].draw(code, DRAWN)
        progress("Drawing emoji", number, len(codes))
    licences = "; ".join(sets[name].licence for name in ARTISTS)
    LOG.warning("%d emoji are drawn by four artists: %s", len(codes), licences)
    return images


def _scaled(images: np.ndarray, size: int) -> np.ndarray:
    look = Look((size, size), 3, "light")
    flat = images.reshape(-1, *images.shape[2:])
    scaled = np.stack([fitted(Image.fromarray(image), look) for image in flat])
    return scaled.reshape(*images.shape[:2], size, size, 3)
