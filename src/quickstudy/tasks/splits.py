"""Which classes belong to train, validation and test: by a file of names, or at random by share."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.images import ImageClasses, split_classes
from quickstudy.tasks.labels import one_form
from quickstudy.tasks.split_files import ALIASES, SPLITS, read_splits

# 64, 16 and 20 of 100 classes, as in miniImageNet and CIFAR-FS.
RATIOS = (0.64, 0.16, 0.2)

_FEW = (
    "Without training, a pretrained network takes any number of classes: quickstudy classify "
    "FOLDER NEW/"
)


def class_splits(
    names: Sequence[str],
    *,
    ratios: Sequence[float] = RATIOS,
    split_file: str | Path | None = None,
    seed: int = 0,
    ways: int = 1,
) -> dict[str, tuple[str, ...]]:
    """Divide classes into train, validation and test; no class is in two of them.

    Args:
        names: all classes; their order does not matter.
        ratios: the three splits' shares of the classes (floats), or their numbers of classes
            (ints); 0 leaves a split out. Not used if there is a split file.
        split_file: a file of class names per split; see `read_splits`. Classes that it does not
            name are in no split.
        seed: the same seed and names give the same split for ever.
        ways: how many classes each split must have, those left out excepted.

    Returns:
        split -> its class names, sorted if divided by ratio and in the file's order otherwise.

    Raises:
        BadInput: there are not three ratios, or too few classes for them; the message says how
            many are needed.
        DataError: the split file cannot be read, or names a class twice or one not in `names`.

    Example:
        >>> class_splits(["a", "b", "c", "d", "e"], ratios=(3, 1, 1), seed=0)
        {'train': ('a', 'b', 'c'), 'validation': ('d',), 'test': ('e',)}
    """
    given = {one_form(name): name for name in names}
    if len(given) < len(names):
        raise BadInput("two classes have one name; every class needs its own.")
    if split_file is not None:
        splits = _known(read_splits(split_file), given, split_file)
        for split, own in splits.items():
            _demand_ways(split, len(own), ways, f"Name more in {split_file}.")
        return splits
    if len(ratios) != len(SPLITS) or not all(0 <= ratio < math.inf for ratio in ratios):
        raise BadInput(
            f"ratios are {tuple(ratios)}; give three of at least 0, for train, validation and test."
        )
    ordered = sorted(given)
    wanted = {split: ratio for split, ratio in zip(SPLITS, ratios, strict=True) if ratio > 0}
    try:
        parts = split_classes(len(ordered), wanted, seed=seed)
    except BadInput as error:
        raise BadInput(f"{error} {_needed(wanted, ways)}") from error
    for split, part in parts.items():
        _demand_ways(split, len(part), ways, _needed(wanted, ways))
    return {split: tuple(given[ordered[i]] for i in part) for split, part in parts.items()}


def split_names(
    splits: Mapping[str, Sequence[str]], split: str, *, ways: int | None = None
) -> tuple[str, ...]:
    """The classes of one split, or of several joined by a plus, such as `train+validation`.

    Raises:
        BadInput: there is no such split, or it has fewer than `ways` classes.

    Example:
        >>> split_names({"train": ["b"], "validation": ["a"]}, "train+validation")
        ('b', 'a')
    """
    wanted = split_parts(split)
    missing = [part for part in wanted if not splits.get(part)]
    if missing:
        raise BadInput(
            f"The split {missing[0]!r} has no classes; there are {', '.join(sorted(splits))}. Ask "
            "for one of these, or give that one classes, by its ratio or in the split file."
        )
    names = tuple(name for part in wanted for name in splits[part])
    _demand_ways(split, len(names), ways or 1, "Ask for fewer ways, or give it more classes.")
    return names


def split_parts(split: str) -> tuple[str, ...]:
    """The splits that a name such as `train+validation` joins; `val` means validation.

    Raises:
        BadInput: there is no such split.
    """
    parts = tuple(ALIASES.get(part, part) for part in split.split("+"))
    if not set(parts) <= set(SPLITS) or len(set(parts)) < len(parts):
        raise BadInput(
            f"There is no split {split!r}; choose train, validation, test or train+validation."
        )
    return parts


def check_complete(counts: Mapping[str, int], expected: tuple[int, int], source: Path) -> None:
    """Demand the numbers of classes and of items per class that a benchmark has.

    Raises:
        DataError: the numbers differ; the message says where.
    """
    classes, items = expected
    advice = (
        "It is incomplete or not the published one. Get that; or, for classes of your own, use "
        "folder_episodes or array_episodes."
    )
    if len(counts) != classes:
        raise DataError(f"{source} has {len(counts)} classes instead of {classes}. {advice}")
    for name, count in counts.items():
        if count != items:
            raise DataError(f"{source} has {count} images of {name!r} instead of {items}. {advice}")


def join_classes(parts: Sequence[ImageClasses]) -> ImageClasses:
    """The classes of several splits as one; all must have as many items.

    Raises:
        DataError: two parts hold one class.
    """
    if len(parts) == 1:
        return parts[0]
    names = tuple(name for part in parts for name in part.names)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"The class {repeated[0]!r} is in two splits; every class belongs to one.")
    images = np.concatenate([part.images for part in parts])
    return ImageClasses(images, names, np.concatenate([part.counts for part in parts]))


def select_split(
    data: ImageClasses,
    split: str,
    *,
    ratios: Sequence[float] = RATIOS,
    split_file: str | Path | None = None,
    seed: int = 0,
    ways: int = 1,
) -> ImageClasses:
    """Only the classes of one split, at least `ways`; for the rest see `class_splits`.

    Example:
        >>> import numpy as np
        >>> data = ImageClasses.of({name: np.zeros((2, 8, 8)) for name in "abcde"})
        >>> select_split(data, "train", ratios=(3, 1, 1)).names
        ('a', 'b', 'c')
    """
    splits = class_splits(data.names, ratios=ratios, split_file=split_file, seed=seed)
    place = {name: i for i, name in enumerate(data.names)}
    return data.select([place[name] for name in split_names(splits, split, ways=ways)])


def _demand_ways(split: str, classes: int, ways: int, advice: str) -> None:
    if classes < ways:
        raise BadInput(
            f"{ways}-way episodes need at least {ways} classes; the split {split} has {classes}. "
            f"{advice}" + ("" if _FEW in advice else f" {_FEW}")
        )


def _needed(wanted: Mapping[str, float], ways: int) -> str:
    """How many classes would do, and what does without."""
    # Shares are rounded down, so that the number is looked for around the quotient.
    near = max(int(ways / min(wanted.values(), default=1)) - 3, 1)
    enough = next((n for n in range(near, near + 9) if _divides(n, wanted, ways)), None)
    if all(isinstance(ratio, int) for ratio in wanted.values()):
        number = f"{ways * len(wanted)} in all, by ratios={(ways,) * len(wanted)}"
    else:
        number = "more" if enough is None else f"{enough} in all"
    each = ", ".join(f"{split} ≥ {ways}" for split in wanted)
    return f"{ways}-way training needs {each} classes: at least {number}. {_FEW}"


def _divides(n: int, wanted: Mapping[str, float], ways: int) -> bool:
    try:
        return all(len(part) >= ways for part in split_classes(n, wanted).values())
    except BadInput:
        return False


def _known(
    splits: dict[str, tuple[str, ...]], given: Mapping[str, str], path: str | Path
) -> dict[str, tuple[str, ...]]:
    """The splits with the classes' own spelling."""
    unknown = [n for own in splits.values() for n in own if n not in given]
    if unknown:
        raise DataError(
            f"{path} names {len(unknown)} classes that are not there, such as {unknown[0]!r}; the "
            f"{len(given)} classes are {', '.join(sorted(given)[:5])} ... Correct the names."
        )
    return {split: tuple(given[name] for name in own) for split, own in splits.items()}
