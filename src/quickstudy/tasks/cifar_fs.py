"""CIFAR-FS: the 100 classes of CIFAR-100 divided for few-shot learning, 32×32 in colour."""

from pathlib import Path
from typing import Any

from quickstudy.errors import DataError
from quickstudy.tasks.arrays import benchmark_arrays, refuse_pickle
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.folders import class_files, inside, read_classes
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.labels import one_form
from quickstudy.tasks.pictures import Look
from quickstudy.tasks.split_files import read_text
from quickstudy.tasks.splits import check_complete, join_classes, split_parts

CLASSES = {"train": 64, "validation": 16, "test": 20}
ITEMS = 600
SIZE = (32, 32)
_STEMS = {"train": "train", "validation": "val", "test": "test"}


def cifar_fs(path: str | Path, split: str, **episodes: Any) -> Episodes:
    """Episodes of CIFAR-FS: 64 training, 16 validation and 20 test classes of 600 images.

    Args:
        path: a folder with `data/<class>/*.png` and `splits/bertinetto/{train,val,test}.txt`, or
            one that holds it as `cifar100` (so does the published archive); or a folder with
            `CIFAR_FS_{train,val,test}.npz`, made from the `.pickle` files of those names. Pickles
            are never opened; docs/own-data.md has the line that converts them.
        split: `train`, `validation`, `test`, or `train+validation`.
        episodes: `ways`, `shots`, `queries`, `transform` ...: see `Episodes`.

    Raises:
        BadInput: an unknown split, or an episode that does not fit into it.
        DataError: files are missing, damaged, incomplete or pickled; the message names them.

    Example:
        >>> tasks = cifar_fs("cifar100", "train", ways=5, shots=1, queries=15)  # doctest: +SKIP
        >>> tasks.sample(jax.random.key(0)).support.x.shape  # doctest: +SKIP
        (5, 32, 32, 3)

    Source: Bertinetto et al. (2019, https://arxiv.org/abs/1805.08136).
    """
    return Episodes.of(cifar_fs_classes(path, split), **episodes)


def cifar_fs_classes(path: str | Path, split: str) -> ImageClasses:
    """The images of a split of CIFAR-FS by class; for the arguments and errors see `cifar_fs`."""
    parts, path = split_parts(split), Path(path).expanduser()
    for folder in (path, path / "cifar100"):
        if (folder / "data").is_dir() and (folder / "splits" / "bertinetto").is_dir():
            return _from_folders(folder, split)
    return join_classes([_from_arrays(path, part) for part in parts])


def _from_folders(folder: Path, split: str) -> ImageClasses:
    lists, files = folder / "splits" / "bertinetto", class_files(folder / "data")
    own = [name for part in split_parts(split) for name in _listed(lists / f"{_STEMS[part]}.txt")]
    missing = [name for name in own if name not in files]
    if missing:
        raise DataError(
            f"{folder / 'data'} has no folder {missing[0]!r}, which {lists} names for {split}, "
            f"nor {len(missing) - 1} others. Unpack the archive again."
        )
    chosen = {name: files[name] for name in own}
    wanted = sum(CLASSES[part] for part in split_parts(split))
    check_complete({name: len(f) for name, f in chosen.items()}, (wanted, ITEMS), folder)
    # Names come from the archive's lists, and a link among the images may lead anywhere.
    for file in (file for own in chosen.values() for file in own):
        inside(folder, file)
    return read_classes(chosen, Look(SIZE, 3, "light"))


def _listed(file: Path) -> list[str]:
    """The class names in a file, one a line."""
    names = (
        [one_form(line.strip()) for line in read_text(file).splitlines()] if file.exists() else []
    )
    if not any(names):
        raise DataError(f"{file} is missing or empty; unpack the archive again.")
    return [name for name in names if name]


def _from_arrays(folder: Path, part: str) -> ImageClasses:
    file = folder / f"CIFAR_FS_{_STEMS[part]}.npz"
    if not file.is_file():
        pickled = file.with_suffix(".pickle")
        if pickled.is_file():
            refuse_pickle(pickled)
        raise DataError(
            f"{folder} has neither data/ and splits/bertinetto/ (directly or in cifar100/) nor "
            f"{file.name}. Give the folder of the unpacked CIFAR-FS."
        )
    return benchmark_arrays(file, (CLASSES[part], ITEMS, *SIZE, 3))
