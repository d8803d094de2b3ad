"""Files that say which classes belong to train, validation and test, and other tables."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from quickstudy.errors import DataError
from quickstudy.tasks.labels import one_form

SPLITS = ("train", "validation", "test")
ALIASES = {"val": "validation", "valid": "validation"}
_FORM = (
    "A split file is a .csv whose first line is class,split, with a line for each class, such as "
    "cat,train; the splits are train, validation and test."
)

_AROUND = re.compile(
    # A value in quotes, which is kept; else spaces before a value, or behind one.
    r"((?<![^,\r\n])[^\S\r\n]*\"(?:[^\"]|\"\")*\")"
    r"|(?<![^,\r\n])[^\S\r\n]+|[^\S\r\n]+(?=[,\r\n]|\Z)"
)


def read_splits(path: str | Path) -> dict[str, tuple[str, ...]]:
    """The class names of each split, from a file.

    Args:
        path: a `.csv` whose header has the columns `class` and `split`, in any order; `val` and
            `valid` mean validation. Names may hold anything, a comma, or a space at either end, in
            quotes; they are in one Unicode form, NFC.

    Returns:
        split -> its class names, in the file's order.

    Raises:
        DataError: the file is missing or not of this form, or names a class twice.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "splits.csv"
        >>> _ = path.write_text("class,split\\ncat,train\\ndog,test\\n")
        >>> read_splits(path)
        {'train': ('cat',), 'test': ('dog',)}
    """
    path = Path(path).expanduser()
    if path.suffix.lower() != ".csv":
        raise DataError(f"{path} is no .csv. {_FORM}")
    splits: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(_split_rows(path), 1):
        split = row["split"].strip().lower()
        split = ALIASES.get(split, split)
        if split not in SPLITS or not row["class"]:
            raise DataError(f"{path}: row {number} is {row}, without a class and a split. {_FORM}")
        splits[split] = (*splits.get(split, ()), one_form(row["class"]))
    if not splits:
        raise DataError(f"{path} names no class. {_FORM}")
    _refuse_repeats(splits, path)
    return splits


def read_text(path: Path) -> str:
    """The whole of a text file.

    Raises:
        DataError: it is missing, or no text.
    """
    if not path.is_file():  # a pipe would be waited for, for ever
        raise DataError(f"There is no file {path}.")
    try:
        # Spreadsheets begin a .csv with a byte-order mark, which would be part of the first name.
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a text file that can be read: {error}.") from error


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file whose first line names the columns; names in lower case. Spaces around
    a value count only in quotes.

    Raises:
        DataError: it is missing or no CSV file, two columns have one name, or a row has more or
            fewer values than columns.
    """
    # Here, for what the reader gives does not tell what was in quotes.
    text = _AROUND.sub(lambda found: (found[1] or "").lstrip(), read_text(path))
    try:
        # Line ends inside of quotes stay as they are.
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file: {error}.") from error
    columns = [name.strip().lower() for name in rows[0]] if rows else []
    if repeated := sorted({name for name in columns if columns.count(name) > 1}):
        raise DataError(
            f"{path} has two columns {repeated[0]!r}: {columns}. Leave one of them, or name it "
            "otherwise."
        )
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(columns):
            raise DataError(
                f"{path}: row {number} has {len(row)} values for the {len(columns)} columns "
                f"{columns}. Correct that row."
            )
    return [dict(zip(columns, row, strict=True)) for row in rows[1:]]


def _split_rows(path: Path) -> list[dict[str, str]]:
    rows = read_table(path)
    columns = set(rows[0]) if rows else set()
    if columns & {"filename", "file", "image", "path"}:
        raise DataError(
            f"{path} has the columns {sorted(columns)}: it divides images, and few-shot learning "
            "divides classes. Put the images of each class into a sub-folder of its name. " + _FORM
        )
    if rows and columns != {"class", "split"}:
        raise DataError(f"{path} has the columns {sorted(columns)}, not class and split. {_FORM}")
    return rows


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
