"""Which classes belong to train, validation and test: by a file of names, or at random by share."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.images import ImageClasses, split_classes

SPLITS = ("train", "validation", "test")
# 64, 16 and 20 of 100 classes, as in miniImageNet and CIFAR-FS.
RATIOS = (0.64, 0.16, 0.2)

_ALIASES = {"val": "validation", "valid": "validation"}
_FORMS = (
    "Give a .json with {'train': [names], 'validation': [...], 'test': [...]}; a .csv with a "
    "header and the columns split and class; a .txt in which a line 'train:' (or '[train]') "
    "stands above that split's class names, one per line; or a folder with train.txt, val.txt "
    "and test.txt, one class name per line."
)


def class_splits(
    names: Sequence[str],
    *,
    ratios: Sequence[float] = RATIOS,
    split_file: str | Path | None = None,
    seed: int = 0,
) -> dict[str, tuple[str, ...]]:
    """Divide classes into train, validation and test; no class is in two of them.

    Args:
        names: all classes; their order does not matter.
        ratios: the three splits' shares of the classes (floats), or their numbers of classes
            (ints); 0 leaves a split out. Not used if there is a split file.
        split_file: a file of class names per split; see `read_splits`. Classes that it does not
            name are in no split.
        seed: the same seed and names give the same split for ever.

    Returns:
        split -> its class names, sorted if divided by ratio and in the file's order otherwise.

    Raises:
        BadInput: there are not three ratios, or too few classes for them.
        DataError: the split file cannot be read, or names a class twice or one not in `names`.

    Example:
        >>> class_splits(["a", "b", "c", "d", "e"], ratios=(3, 1, 1), seed=0)
        {'train': ('a', 'b', 'c'), 'validation': ('d',), 'test': ('e',)}
    """
    if split_file is not None:
        return _known(read_splits(split_file), names, split_file)
    if len(ratios) != len(SPLITS) or not all(0 <= ratio < math.inf for ratio in ratios):
        raise BadInput(
            f"ratios are {tuple(ratios)}; give three of at least 0, for train, validation and test."
        )
    ordered = sorted(names)
    wanted = {split: ratio for split, ratio in zip(SPLITS, ratios, strict=True) if ratio > 0}
    parts = split_classes(len(ordered), wanted, seed=seed)
    return {split: tuple(ordered[i] for i in part) for split, part in parts.items()}


def split_names(splits: Mapping[str, Sequence[str]], split: str) -> tuple[str, ...]:
    """The classes of one split, or of several joined by a plus, such as `train+validation`.

    Raises:
        BadInput: there is no such split.

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
    return tuple(name for part in wanted for name in splits[part])


def split_parts(split: str) -> tuple[str, ...]:
    """The splits that a name such as `train+validation` joins; `val` means validation.

    Raises:
        BadInput: there is no such split.
    """
    parts = tuple(_ALIASES.get(part, part) for part in split.split("+"))
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
) -> ImageClasses:
    """Only the classes of one split; for the arguments and errors see `class_splits`.

    Example:
        >>> import numpy as np
        >>> data = ImageClasses.of({name: np.zeros((2, 8, 8)) for name in "abcde"})
        >>> select_split(data, "train", ratios=(3, 1, 1)).names
        ('a', 'b', 'c')
    """
    splits = class_splits(data.names, ratios=ratios, split_file=split_file, seed=seed)
    place = {name: i for i, name in enumerate(data.names)}
    return data.select([place[name] for name in split_names(splits, split)])


def read_splits(path: str | Path) -> dict[str, tuple[str, ...]]:
    """The class names of each split, from a file.

    Args:
        path: `.json`: `{"train": [names], "validation": [...], "test": [...]}`; `.csv`: a header
            and the columns `split` and `class` (or `label`); any other file: lines `train:` or
            `[train]`, each above its split's class names, one per line, `#` begins a comment;
            or a folder with `train.txt`, `val.txt` and `test.txt`, one class name per line.
            `val` and `valid` mean validation.

    Raises:
        DataError: the file is missing or not of these forms, or names a class twice.
    """
    path = Path(path)
    if path.is_dir():
        found = {
            split: _lines(path / f"{split}.txt")
            for split in (*SPLITS, *_ALIASES)
            if (path / f"{split}.txt").is_file()
        }
    elif path.suffix.lower() == ".json":
        found = _from_json(path)
    elif path.suffix.lower() == ".csv":
        found = _from_csv(path)
    else:
        found = _from_text(path)
    splits: dict[str, tuple[str, ...]] = {}
    for given, names in found.items():
        split = _ALIASES.get(given.lower(), given.lower())
        if split not in SPLITS:
            raise DataError(f"{path} has a split {given!r}, which is unknown. {_FORMS}")
        splits[split] = (*splits.get(split, ()), *names)
    if not any(splits.values()):
        raise DataError(f"{path} names no class of any split. {_FORMS}")
    _refuse_repeats(splits, path)
    return splits


def read_text(path: Path) -> str:
    """The whole of a text file.

    Raises:
        DataError: it is missing, or no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a text file that can be read: {error}.") from error


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file whose first line names the columns; names in lower case.

    Raises:
        DataError: it is missing or no CSV file, or a row has more or fewer values than columns.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(read_text(path)), strict=True) if row]
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file: {error}.") from error
    columns = [name.strip().lower() for name in rows[0]] if rows else []
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(columns):
            raise DataError(
                f"{path}: row {number} has {len(row)} values for the {len(columns)} columns "
                f"{columns}. Correct that row."
            )
    return [dict(zip(columns, (value.strip() for value in row), strict=True)) for row in rows[1:]]


def _lines(path: Path) -> list[str]:
    stripped = (line.split("#")[0].strip() for line in read_text(path).splitlines())
    return [line for line in stripped if line]


def _from_json(path: Path) -> dict[str, list[str]]:
    try:
        found = json.loads(read_text(path))
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}.") from error
    entries = list(found.values()) if isinstance(found, dict) else [None]
    if not all(isinstance(e, list) and all(isinstance(n, str) for n in e) for e in entries):
        raise DataError(f"{path} is not an object of lists of class names. {_FORMS}")
    return found


def _from_csv(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in read_table(path):
        name = row.get("class", row.get("label"))
        if name is None or "split" not in row:
            raise DataError(f"{path} has the columns {list(row)}, not split and class. {_FORMS}")
        found.setdefault(row["split"], []).append(name)
    return found


def _from_text(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    own: list[str] | None = None
    for line in _lines(path):
        if line.endswith(":") or (line.startswith("[") and line.endswith("]")):
            own = found.setdefault(line.strip("[]:").strip(), [])
        elif own is None:
            raise DataError(f"{path} begins with {line!r}, which stands under no split. {_FORMS}")
        else:
            own.append(line)
    return found


def _refuse_repeats(splits: Mapping[str, Sequence[str]], path: Path) -> None:
    seen: dict[str, str] = {}
    for split, names in splits.items():
        for name in names:
            if name in seen:
                raise DataError(
                    f"{path} names the class {name!r} twice, in {seen[name]} and in {split}; "
                    "every class belongs to one split, once."
                )
            seen[name] = split


def _known(
    splits: dict[str, tuple[str, ...]], names: Sequence[str], path: str | Path
) -> dict[str, tuple[str, ...]]:
    unknown = [n for own in splits.values() for n in own if n not in set(names)]
    if unknown:
        raise DataError(
            f"{path} names {len(unknown)} classes that are not there, such as {unknown[0]!r}; the "
            f"{len(names)} classes are {', '.join(sorted(names)[:5])} ... Correct the names."
        )
    return splits
