"""Tasks of one's own that are listed: which of them are trained on, validated on, and tested."""

import dataclasses
from collections.abc import Mapping, MappingView, Sequence, Set
from typing import Any

import numpy as np

from quickstudy.errors import BadInput

SPLITS = ("train", "validation", "test")
FEWEST = 4  # two in training, which must differ, and one in each of the others
SEED = 0  # the same list is divided in the same way for ever
MOST_TOLD = 10

Places = dict[str, tuple[int, ...]]


def places(tasks: Any, where: str) -> Places:
    """Which tasks of a list are in which split, by their places in it.

    Args:
        tasks: a list, of which training gets 64 %, validation 16 % and tests 20 %; or a list for
            each split, by its name, in which case these follow each other.
        where: the family, for messages.

    Raises:
        BadInput: another form, another split, too few tasks, or one that is listed twice.

    Example:
        >>> places({"train": [0.1, 0.2], "test": [0.3]}, "lever.py:Lever")
        {'train': (0, 1), 'validation': (), 'test': (2,)}
    """
    listed = in_a_row(tasks, where)
    seen: dict[Any, int] = {}
    for place, task in enumerate(listed):
        if (first := seen.setdefault(_key(task), place)) != place:
            raise BadInput(
                f"{where} lists the task {_short(task)} twice, as number {first} and number "
                f"{place}; list each once, so that no test task is met in training"
            )
    if isinstance(tasks, Mapping):
        counts = {split: len(tasks.get(split, ())) for split in SPLITS}
        return _by_counts(range(len(listed)), counts)
    if len(listed) < FEWEST:
        raise BadInput(
            f"{where} lists {len(listed)} tasks, of which some are for validation and some for "
            f"tests; list at least {FEWEST}, or give a list for each split: "
            '{"train": [...], "test": [...]}'
        )
    counts = {"validation": max(1, round(0.16 * len(listed))), "test": max(1, len(listed) // 5)}
    counts = {"train": len(listed) - sum(counts.values()), **counts}
    order = np.random.default_rng(SEED).permutation(len(listed)).tolist()
    return {split: tuple(sorted(own)) for split, own in _by_counts(order, counts).items()}


def in_a_row(tasks: Any, where: str) -> list[Any]:
    """All tasks, those of splits one split after the other.

    Raises:
        BadInput: `tasks` is no list, nor lists by the names of splits.
    """
    if not isinstance(tasks, Mapping):
        return _list(tasks, f"{where}.tasks")
    if unknown := [name for name in tasks if name not in SPLITS]:
        raise BadInput(f"{where}.tasks has the split {unknown[0]!r}; choose from {list(SPLITS)}")
    found = {
        name: _list(tasks[name], f"{where}.tasks[{name!r}]") for name in SPLITS if name in tasks
    }
    for name, least in (("train", 2), ("test", 1)):
        if len(found.get(name, ())) < least:
            raise BadInput(
                f"{where}.tasks has {len(found.get(name, ()))} tasks in the split {name!r}; give "
                f"it at least {least}"
            )
    if "validation" in found and not found["validation"]:
        raise BadInput(
            f"{where}.tasks has no tasks in the split 'validation'; give it some, or leave it out "
            "to validate on the tasks of training"
        )
    return [task for own in found.values() for task in own]


def told(listed: Sequence[Any], split: str, own: Sequence[int]) -> str:
    """Which tasks a split has, in words.

    Example:
        >>> told([0.1, 0.2, 0.3], "test", (2,))
        'test: 1 of 3 tasks, number 2 (0.3)'
    """
    numbers = ", ".join(f"{place} ({_short(listed[place])})" for place in own[:MOST_TOLD])
    more = " ..." if len(own) > MOST_TOLD else ""
    return f"{split}: {len(own)} of {len(listed)} tasks, number {numbers}{more}"


def _by_counts(order: Sequence[int], counts: Mapping[str, int]) -> Places:
    found, start = {}, 0
    for split in SPLITS:
        found[split] = tuple(order[start : start + counts[split]])
        start += counts[split]
    return found


def _list(tasks: Any, where: str) -> list[Any]:
    if isinstance(tasks, str | bytes) or not hasattr(tasks, "__len__"):
        raise BadInput(f"{where} is {_short(tasks)}; give a list of tasks")
    # The views of a dict are sets by their kind, in the order of the dict.
    if isinstance(tasks, Set) and not isinstance(tasks, MappingView):
        raise BadInput(
            f"{where} is {_short(tasks)}, which has no order, and another in another program; give "
            "a list of tasks"
        )
    return list(tasks)


def _key(task: Any) -> Any:
    """What is equal for equal tasks of plain values: numbers, arrays, lists and dicts of them."""
    if isinstance(task, np.ndarray) and not task.dtype.hasobject:
        return task.shape, task.dtype.str, task.tobytes()
    if isinstance(task, np.ndarray):
        return task.shape, _key(task.tolist())
    # 1 and True are equal, and may be different tasks.
    if isinstance(task, bool | np.bool_):
        return bool, bool(task)
    if isinstance(task, Mapping):
        pairs = ((name, _key(value)) for name, value in task.items())
        return tuple(sorted(pairs, key=lambda pair: repr(pair[0])))
    if isinstance(task, list | tuple):
        return tuple(_key(value) for value in task)
    if dataclasses.is_dataclass(task) and not isinstance(task, type):
        own = ((field.name, getattr(task, field.name)) for field in dataclasses.fields(task))
        return type(task), _key(dict(own))
    try:
        hash(task)
        return task
    except TypeError:
        return id(task)


def _short(task: Any) -> str:
    text = " ".join(repr(task).split())
    return text if len(text) <= 40 else f"{text[:37]}..."
