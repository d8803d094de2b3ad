"""Labels of any kind as class numbers 0 ... N − 1, and what looks like labels and is refused."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from quickstudy.errors import BadInput


def one_form(name: str) -> str:
    """A name in Unicode's composed form (NFC), in which names are compared.

    Example:
        >>> one_form("cafe\\u0301") == "caf\\u00e9"
        True
    """
    return unicodedata.normalize("NFC", name)


def numbered(y: Any, classes: Sequence[Any] | None = None) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Class numbers `[n]`, and the classes they stand for, sorted.

    Args:
        y: whole numbers from anywhere, strings or bools, `[n]` or `[n, 1]`; or one-hot rows
            `[n, ways]`.
        classes: in their order, if they are decided already: those of the support set, for a
            query set. None: the labels that occur.

    Raises:
        BadInput: labels that are none, or one that is not among `classes`.

    Example:
        >>> numbered(["dog", "cat", "dog"])
        (array([1, 0, 1]), ('cat', 'dog'))
        >>> numbered([3, 7], classes=(1, 3, 7))
        (array([1, 2]), (1, 3, 7))
    """
    labels = _column(np.asarray(y))
    if classes is None and labels.ndim == 2:
        classes = tuple(range(labels.shape[1]))
    if labels.ndim == 2:
        labels = labels.argmax(1)
    kind = labels.dtype.kind
    if labels.ndim != 1 or kind not in "biuUSO" or (kind == "O" and not _all_strings(labels)):
        raise BadInput(
            f"the labels are {labels.dtype}{list(labels.shape)}; give [n] whole numbers or "
            "strings, or one-hot rows [n, ways]."
        )
    own = [_plain(label) for label in labels.tolist()]
    order = tuple(sorted(set(own)) if classes is None else (_plain(c) for c in classes))
    place = {name: i for i, name in enumerate(order)}
    if len(place) < len(order):
        raise BadInput(f"the classes {order} name one twice; every class needs its own name.")
    if unknown := [label for label in own if label not in place]:
        shown = ", ".join(map(repr, order[:5])) + (" ..." if len(order) > 5 else "")
        raise BadInput(f"the label {unknown[0]!r} is none of the {len(order)} classes: {shown}.")
    return np.array([place[label] for label in own], int), order


def targets(y: Any) -> tuple[np.ndarray, int | None]:
    """What `Examples.of` takes: class numbers `[n]` with N, or targets `[n, d]` with None.

    Raises:
        BadInput: labels with gaps or of another kind, one-hot rows, columns of whole numbers, or
            floats that could be either; the message says what to give.
    """
    given = np.asarray(y)
    if given.dtype.kind in "bUSO" and given.ndim == 1 and given.dtype != bool:
        raise _elsewhere(given, "names, not numbers")
    if given.ndim == 1 and given.dtype.kind in "biu":
        return _without_gaps(given.astype(int) if given.dtype == bool else given)
    one_hot = given.ndim == 2 and given.dtype == bool and _is_one_hot(given)
    if (
        given.dtype.kind != "f"
        and not one_hot
        and (given.ndim != 2 or given.dtype.kind not in "iu")
    ):
        raise BadInput(
            f"y is {given.dtype}{list(given.shape)}; give class numbers [n] from 0 on, or targets "
            "[n, d]."
        )
    return _without_doubt(given), None


def _without_gaps(labels: np.ndarray) -> tuple[np.ndarray, int]:
    found = np.unique(labels)
    # Labels from 1 on would make a class 0 that does not exist.
    if not np.array_equal(found, np.arange(len(found))):
        raise _elsewhere(labels, f"class numbers {found[0]} ... {found[-1]}, {len(found)} of them")
    return labels, len(found)


def _without_doubt(y: np.ndarray) -> np.ndarray:
    """Targets `[n, d]`, of which none could be meant as classes."""
    if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind != "f":
        raise BadInput(
            f"y is a column of whole numbers, {y.dtype}{list(y.shape)}; give class numbers as "
            "y[:, 0], or targets as y.astype(float)."
        )
    if y.ndim == 2 and _is_one_hot(y):
        raise BadInput(
            f"y is one-hot, {list(y.shape)}; give class numbers, y.argmax(1), or use "
            "labelled(x, y). Where it is meant as targets, give Examples(x, y)."
        )
    if y.ndim == 1 and y.size and np.array_equal(y, np.rint(y)):
        raise BadInput(
            f"y are whole numbers as {y.dtype}{list(y.shape)}; give class numbers as "
            "y.astype(int), or targets as y[:, None]."
        )
    if y.ndim not in (1, 2):
        raise BadInput(f"y is {y.dtype}{list(y.shape)}; give targets [n, d].")
    return y[:, None] if y.ndim == 1 else y


def _elsewhere(y: np.ndarray, what: str) -> BadInput:
    return BadInput(
        f"y holds {what}; class numbers [n] go from 0 on without gaps. For labels of any kind: "
        "examples, classes = labelled(x, y), and labelled(x, y, classes) for a query set."
    )


def _column(labels: np.ndarray) -> np.ndarray:
    """`[n, 1]` as `[n]`; of two axes stays what is one-hot."""
    if labels.ndim != 2:
        return labels
    if labels.shape[1] == 1:
        return labels[:, 0]
    if labels.dtype.kind not in "biuf" or not np.all((labels != 0).sum(1) == 1):
        raise BadInput(
            f"the labels are {labels.dtype}{list(labels.shape)}, neither [n] nor one-hot rows with "
            "a single 1; give one label for each example."
        )
    return labels


def _is_one_hot(y: np.ndarray) -> bool:
    """Rows with a single 1, and each column has one: what chance hardly makes of targets."""
    if y.shape[1] < 2 or not np.isin(y, (0, 1)).all():
        return False
    return bool((y.sum(1) == 1).all() and (y.sum(0) > 0).all())


def _all_strings(labels: np.ndarray) -> bool:
    return all(isinstance(label, str) for label in labels.tolist())


def _plain(label: Any) -> Any:
    if isinstance(label, bytes):
        label = label.decode()
    return one_form(label) if isinstance(label, str) else label
