"""Labelled images in NumPy's `.npz` files, which are never unpickled."""

import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.labels import one_form
from quickstudy.tasks.reading import Levels, demand_channels_last, to_bytes
from quickstudy.tasks.splits import RATIOS, check_complete, select_split

LOG = logging.getLogger(__name__)

READ = ("images", "features", "labels", "names", "counts")
GREATEST = 1e18  # of a feature, whose square a distance takes in float32
_UNREADABLE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)


def array_episodes(
    path: str | Path,
    split: str,
    *,
    ratios: Sequence[float] = RATIOS,
    split_file: str | Path | None = None,
    seed: int = 0,
    **episodes: Any,
) -> Episodes:
    """Episodes of one split of the classes in an `.npz` file.

    Args:
        path: see `image_arrays`.
        split: `train`, `validation`, `test`, or `train+validation`.
        ratios: shares (floats) or numbers (ints) of classes of the three splits.
        split_file: class names per split instead of ratios; see `read_splits`.
        seed: divides the classes.
        episodes: `ways`, `shots`, `queries`, `transform` ...: see `Episodes`.

    Raises:
        BadInput: an unknown split, or fewer classes or items than are asked for.
        DataError: see `image_arrays` and `read_splits`.

    Example:
        >>> tasks = array_episodes(
        ...     "birds.npz", "test", ways=5, shots=1, queries=15
        ... )  # doctest: +SKIP
    """
    data = image_arrays(path)
    how: Any = {"ratios": ratios, "split_file": split_file, "seed": seed}
    chosen = select_split(data, split, ways=episodes.get("ways", 1), **how)
    return Episodes.of(chosen, **episodes)


def image_arrays(path: str | Path, *, levels: Levels | None = None) -> ImageClasses:
    """The images of an `.npz` file, by class. Nothing in it is unpickled.

    It holds `images`, uint8, uint16 or floats from 0 to 1, as

    - `[n, h, w]` or `[n, h, w, c]` together with `labels [n]` (whole numbers or strings), or
    - `[classes, items, h, w]` or `[classes, items, h, w, c]`, without `labels`,

    or, instead, `features [n, d]`, finite floats, together with `labels [n]`; and it may hold
    `names`, one string per class, and in the second form alone `counts [classes]`, how many of a
    class's items are real. Other arrays are passed over with one warning (`logging`) that names
    them. Labels are sorted; label i of 0 ... classes − 1 is called `names[i]`.

    Args:
        path: the file.
        levels: the darkest and brightest level of images of other whole numbers or ranges; see
            `as_images`.

    Returns:
        uint8 `[classes, items, h, w]` or `[classes, items, h, w, c]`, or float32
        `[classes, items, d]`, padded with zeros to equally many items.

    Raises:
        DataError: the file is missing or damaged, or its arrays are not of these forms.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "tiny.npz"
        >>> np.savez(path, images=np.zeros((4, 8, 8, 3), np.uint8), labels=["a", "b", "a", "a"])
        >>> data = image_arrays(path)
        >>> data.names, data.counts.tolist(), data.images.shape
        (('a', 'b'), [3, 1], (2, 3, 8, 8, 3))
    """
    path = Path(path).expanduser()
    arrays = _read(path)
    _demand_one_meaning(arrays, path)
    _say_what_is_not_read(arrays, path)
    if "features" in arrays and "images" not in arrays:
        return _features(arrays["features"], arrays, path)
    if "images" not in arrays:
        raise DataError(
            f"{path} holds {sorted(arrays)}, but no array named images, nor features; add one, and "
            "labels beside it, unless it is [classes, items, ...]."
        )
    images = _as_pixels(arrays["images"], levels, path)
    return (_by_label if "labels" in arrays else _by_class)(images, arrays, path)


def benchmark_arrays(file: Path, shape: tuple[int, int, int, int, int]) -> ImageClasses:
    """The images of a benchmark's `.npz` file, which must be whole: `[classes, items, h, w, c]`.

    Raises:
        DataError: see `image_arrays`; or the shape is another one.
    """
    data = image_arrays(file)
    counts = dict(zip(data.names, data.counts.tolist(), strict=True))
    check_complete(counts, shape[:2], file)
    if data.images.shape[2:] != shape[2:]:
        raise DataError(
            f"{file} holds images of the shape {data.images.shape[2:]} instead of {shape[2:]}: it "
            "is not the published one."
        )
    return data


def refuse_pickle(file: Path) -> NoReturn:
    """Name a pickled data set, which is not opened, and where it says how to convert it.

    Raises:
        DataError: always.
    """
    raise DataError(
        f"{file} is a pickle, and opening a pickle runs whatever program is in it: quickstudy "
        f"never does. If you trust where it came from, convert it once to {file.stem}.npz beside "
        "it, by the line in docs/own-data.md, under Pickles."
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise DataError(f"There is no file {path}; give an .npz file with images and labels.")
    if path.suffix.lower() in (".pickle", ".pkl"):
        refuse_pickle(path)
    try:
        # np.load leaves a file that it opened itself open when it is damaged.
        with path.open("rb") as file:
            # np.load takes .npy files, too; only a zip can be an .npz file.
            if not zipfile.is_zipfile(file):
                raise DataError(f"{path} is damaged or no .npz file; write it with np.savez.")
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
    except _UNREADABLE as error:
        raise DataError(
            f"{path} is damaged or holds Python objects ({error}); write it with np.savez from "
            "arrays of numbers and strings."
        ) from error


def _demand_one_meaning(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Refuse arrays of which one would be ignored in silence."""
    if "images" in arrays and "features" in arrays:
        raise DataError(
            f"{path} holds both images and features; leave one of them out, or write two files."
        )
    if "labels" in arrays and "counts" in arrays:
        raise DataError(
            f"{path} holds counts beside labels, which count each class's items already; leave "
            "counts out, or give images [classes, items, ...] without labels."
        )


def _say_what_is_not_read(arrays: dict[str, np.ndarray], path: Path) -> None:
    if other := sorted(arrays.keys() - READ):
        LOG.warning(
            "%s holds %s, which nothing reads; its arrays are %s",
            path,
            ", ".join(other),
            ", ".join(READ),
        )


def _as_pixels(images: np.ndarray, levels: Levels | None, path: Path) -> np.ndarray:
    try:
        demand_channels_last(images, f"{path} holds images, which")
        return to_bytes(images, levels, f"{path} holds images, which")
    except BadInput as error:
        raise DataError(f"{error} What is no image belongs under the name features.") from error


def _by_class(images: np.ndarray, arrays: dict[str, np.ndarray], path: Path) -> ImageClasses:
    # Four axes of which the last has 1 or 3: [n, h, w, c] whose labels were forgotten.
    if images.ndim not in (4, 5) or 0 in images.shape or images.shape[3:] in ((1,), (3,)):
        raise DataError(
            f"{path} holds images of the shape {images.shape} and no labels; add labels [n], or "
            "give [classes, items, h, w] or [classes, items, h, w, c], not empty."
        )
    classes, items = images.shape[:2]
    given = {"names": np.arange(classes), "counts": np.full(classes, items)} | arrays
    names = _as_names(_one_per_class(given["names"], "names", classes, path))
    _check_different(names, path)
    counts = _one_per_class(given["counts"], "counts", classes, path)
    if not np.issubdtype(counts.dtype, np.integer) or counts.min() < 0 or counts.max() > items:
        raise DataError(f"{path}: counts must be whole numbers in 0 ... {items}, but are {counts}.")
    return ImageClasses(images, names, counts.astype(np.int32))


def _by_label(images: np.ndarray, arrays: dict[str, np.ndarray], path: Path) -> ImageClasses:
    labels = arrays["labels"]
    if images.ndim not in (3, 4) or labels.shape != images.shape[:1] or 0 in images.shape:
        raise DataError(
            f"{path} holds images {images.shape} and labels {labels.shape}; they must be "
            "[n, h, w] or [n, h, w, c], and [n], and not empty."
        )
    return ImageClasses.of(_sorted_out(images, arrays, path))


def _features(x: np.ndarray, arrays: dict[str, np.ndarray], path: Path) -> ImageClasses:
    labels = arrays.get("labels", np.zeros(0))
    if x.ndim != 2 or labels.shape != x.shape[:1] or 0 in x.shape:
        raise DataError(
            f"{path} holds features {x.shape} and labels {labels.shape}; they must be [n, d] and "
            "[n], and not empty."
        )
    if x.dtype.kind != "f" or not np.isfinite(x).all():
        raise DataError(f"{path} holds {x.dtype} features; give floats, all of them finite.")
    if (most := np.abs(x).max()) > GREATEST:
        raise DataError(
            f"{path} holds features of up to {most:.3g}, whose squares are not finite in single "
            f"precision; scale them to at most {GREATEST:g}, better to about 1."
        )
    parts = _sorted_out(x, arrays, path)
    counts = np.array([len(own) for own in parts.values()], np.int32)
    padded = np.zeros((len(parts), counts.max(), x.shape[1]), np.float32)
    for row, own in zip(padded, parts.values(), strict=True):
        row[: len(own)] = own
    return ImageClasses(padded, tuple(parts), counts)


def _sorted_out(x: np.ndarray, arrays: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """The rows of each class, by its name."""
    labels = arrays["labels"]
    if not np.issubdtype(labels.dtype, np.integer) and labels.dtype.kind not in "US":
        raise DataError(f"{path} holds {labels.dtype} labels; give whole numbers or strings.")
    found, inverse = np.unique(labels, return_inverse=True)
    names = _as_names(found)
    if "names" in arrays:
        given = _as_names(arrays["names"].ravel())
        if labels.dtype.kind in "US" or found.min() < 0 or found.max() >= len(given):
            raise DataError(
                f"{path} holds {len(given)} names, so its labels must be whole numbers in "
                f"0 ... {len(given) - 1}, but they are {names[0]!r} ... {names[-1]!r}."
            )
        names = tuple(given[label] for label in found)
    _check_different(names, path)
    # Stable, so that a class's items keep the file's order, and seeds draw the same ones.
    order = np.argsort(inverse, kind="stable")
    parts = np.split(x[order], np.cumsum(np.bincount(inverse))[:-1])
    return dict(zip(names, parts, strict=True))


def _check_different(names: tuple[str, ...], path: Path) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"{path} gives two classes one name, {repeated[0]!r}; every class needs its own."
        )


def _one_per_class(values: np.ndarray, what: str, classes: int, path: Path) -> np.ndarray:
    if values.shape != (classes,):
        raise DataError(
            f"{path} holds {what} of the shape {values.shape} for {classes} classes of images; "
            f"give [{classes}]."
        )
    return values


def _as_names(values: np.ndarray) -> tuple[str, ...]:
    try:
        named = [v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()]
    except UnicodeDecodeError as error:
        raise DataError(f"names of classes are bytes that are no UTF-8: {error}") from error
    return tuple(map(one_form, named))
