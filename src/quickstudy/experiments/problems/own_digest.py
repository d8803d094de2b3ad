"""A short name for tasks of one's own, by which a run knows them again."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

NEWER = "2-"
"""Begins a name that tells all numbers of arrays within tasks. Without it they were told as they
are printed, where NumPy leaves numbers out of large ones, and rounds."""
ADDRESS = " at 0x"


def digest(tasks: Sequence[Any]) -> str:
    """A short name for a list of tasks, by all that they are made of; nothing where one tells an
    address in memory, as objects without a `__repr__` do.

    Example:
        >>> digest([0.5, 1.0]) == digest([1.0, 0.5])
        False
    """
    if all(_plain(task) or _is_numbers(task) for task in tasks):
        return _printed(tasks)
    return _named(_written(list(tasks)), NEWER)


def is_of(name: str, tasks: Sequence[Any]) -> bool:
    """Whether these may be the tasks that were given this name, by whichever version of quickstudy.

    Example:
        >>> is_of(digest([0.5]), [0.5]), is_of(digest([0.5]), [1.5])
        (True, False)
    """
    now = digest(tasks) if name.startswith(NEWER) else _printed(tasks)
    return not name or now in ("", name)


def may_be_one(name: str, other: str) -> bool:
    """Whether two names may be of the same tasks: they can be told apart where both are of one
    form.

    Example:
        >>> may_be_one("0a", "0b"), may_be_one("2-0a", "0b")
        (False, True)
    """
    return name == other or name.startswith(NEWER) != other.startswith(NEWER)


def _printed(tasks: Sequence[Any]) -> str:
    """The name by how tasks are printed, those that are arrays by their numbers."""
    rows = [
        (task.shape, task.dtype.str, task.tobytes()) if isinstance(task, np.ndarray) else task
        for task in tasks
    ]
    return _named(repr(rows), "")


def _named(text: str, mark: str) -> str:
    if ADDRESS in text:
        return ""
    return mark + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def _is_numbers(task: Any) -> bool:
    return type(task) is np.ndarray and not task.dtype.hasobject


def _plain(task: Any) -> bool:
    """Whether it is printed as exactly as it is."""
    if type(task) in (list, tuple):
        return all(map(_plain, task))
    if type(task) is dict:
        return all(map(_plain, task.keys())) and all(map(_plain, task.values()))
    made_of_parts = Mapping | Set | tuple | list
    return not (isinstance(task, made_of_parts) or _is_array(task) or _is_dataclass(task))


def _is_array(task: Any) -> bool:
    """Of NumPy, or of another library; a number of NumPy is none."""
    return hasattr(task, "__array__") and not isinstance(task, np.generic | type)


def _is_dataclass(task: Any) -> bool:
    return dataclasses.is_dataclass(task) and not isinstance(task, type)


def _written(task: Any) -> str:
    """A text that is the same for the same task, and for no other."""
    kind = type(task).__qualname__
    if isinstance(task, Mapping):
        pairs = (f"{_written(name)}: {_written(value)}" for name, value in task.items())
        return f"{kind}{{{', '.join(sorted(pairs))}}}"
    if isinstance(task, list | tuple):
        return f"{kind}[{', '.join(map(_written, task))}]"
    if isinstance(task, Set):
        return f"{kind}{{{', '.join(sorted(map(_written, task)))}}}"
    if _is_dataclass(task):
        fields = dataclasses.fields(task)
        return f"{kind}({', '.join(f'{f.name}={_written(getattr(task, f.name))}' for f in fields)})"
    return _array_written(task) if _is_array(task) else repr(task)


def _array_written(task: Any) -> str:
    try:
        array = np.asarray(task)
    except Exception:  # whatever another library's arrays say: its random keys are no numbers
        return repr(task)
    if array.dtype.hasobject:
        return f"array({array.shape}, {_written(array.tolist())})"
    numbers = hashlib.sha256(array.tobytes()).hexdigest()
    return f"array({array.dtype.str}, {array.shape}, {numbers})"
