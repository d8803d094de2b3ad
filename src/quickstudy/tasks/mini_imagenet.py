"""miniImageNet: 100 classes of ImageNet with 600 images each, 84×84 in colour."""

from pathlib import Path
from typing import Any

from quickstudy.errors import DataError
from quickstudy.tasks.arrays import benchmark_arrays, refuse_pickle
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.folders import inside, read_classes
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.pictures import Look
from quickstudy.tasks.split_files import read_table
from quickstudy.tasks.splits import check_complete, join_classes, split_parts

CLASSES = {"train": 64, "validation": 16, "test": 20}
ITEMS = 600
SIZE = (84, 84)
_STEMS = {"train": "train", "validation": "val", "test": "test"}


# The files of arrays as they were published, pickles, and without their endings.
_PUBLISHED = {
    ".pkl": {part: f"mini-imagenet-cache-{stem}" for part, stem in _STEMS.items()},
    # MetaOptNet's
    ".pickle": {
        "train": "miniImageNet_category_split_train_phase_train",
        "validation": "miniImageNet_category_split_val",
        "test": "miniImageNet_category_split_test",
    },
}


def mini_imagenet(path: str | Path, split: str, **episodes: Any) -> Episodes:
    """Episodes of miniImageNet: 64 training, 16 validation and 20 test classes of 600 images.

    Args:
        path: a folder with `{train,val,test}.csv` (columns filename and label; the division of
            Ravi & Larochelle) and `images/`, whose images of any size are scaled to 84×84 without
            regard to their proportions, as usual; or a folder with
            `mini-imagenet-cache-{train,val,test}.npz`, made from the `.pkl` files of those names,
            or `miniImageNet_category_split_{train_phase_train,val,test}.npz`, from the `.pickle`
            files of MetaOptNet. Pickles are never opened; docs/own-data.md has the line that
            converts them.
        split: `train`, `validation`, `test`, or `train+validation`.
        episodes: `ways`, `shots`, `queries`, `transform` ...: see `Episodes`.

    Raises:
        BadInput: an unknown split, or an episode that does not fit into it.
        DataError: files are missing, damaged, incomplete, pickled or outside the folder; the
            message names them.

    Example:
        >>> tasks = mini_imagenet("mini", "train", ways=5, shots=5, queries=15)  # doctest: +SKIP
        >>> tasks.sample(jax.random.key(0)).support.x.shape  # doctest: +SKIP
        (25, 84, 84, 3)

    Source: Vinyals et al. (2016, https://arxiv.org/abs/1606.04080); the division by Ravi &
    Larochelle (2017, https://openreview.net/forum?id=rJY0-Kcll); MetaOptNet is that of Lee et al.
    (2019, https://arxiv.org/abs/1904.03758).
    """
    return Episodes.of(mini_imagenet_classes(path, split), **episodes)


def mini_imagenet_classes(path: str | Path, split: str) -> ImageClasses:
    """A split of miniImageNet by class; for the arguments and errors see `mini_imagenet`."""
    folder = Path(path).expanduser()
    return join_classes([_read_part(folder, part) for part in split_parts(split)])


def _read_part(folder: Path, part: str) -> ImageClasses:
    table = folder / f"{_STEMS[part]}.csv"
    if table.is_file():
        return _from_table(table, part)
    files = {ending: folder / f"{names[part]}.npz" for ending, names in _PUBLISHED.items()}
    for file in files.values():
        if file.is_file():
            return benchmark_arrays(file, (CLASSES[part], ITEMS, *SIZE, 3))
    for ending, file in files.items():
        if file.with_suffix(ending).is_file():
            refuse_pickle(file.with_suffix(ending))
    arrays = " or ".join(file.name for file in files.values())
    raise DataError(
        f"{folder} has neither {table.name} with images/ nor {arrays}. "
        "Give the folder of the unpacked miniImageNet."
    )


def _from_table(table: Path, part: str) -> ImageClasses:
    files: dict[str, list[Path]] = {}
    images = table.parent / "images"
    for number, row in enumerate(read_table(table), 1):
        if not row.get("filename") or not row.get("label"):
            raise DataError(
                f"{table}: row {number} is {row}, without a filename and a label. The first line "
                "must be filename,label."
            )
        files.setdefault(row["label"], []).append(inside(images, images / row["filename"]))
    check_complete({name: len(own) for name, own in files.items()}, (CLASSES[part], ITEMS), table)
    _refuse_repeats(files, table)
    return read_classes(files, Look(SIZE, 3, "light", "stretch"))


def _refuse_repeats(files: dict[str, list[Path]], table: Path) -> None:
    seen: set[Path] = set()
    for file in (file for own in files.values() for file in own):
        if file in seen:
            raise DataError(f"{table} names {file.name} twice; every image belongs there once.")
        seen.add(file)
