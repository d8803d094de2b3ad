"""Labels of any kind: checked, compared and written to JSON."""

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from quickstudy.errors import BadInput
from quickstudy.estimators.base import Given
from quickstudy.tasks.labels import one_form


def checked(given: Given, y: Any) -> np.ndarray:
    """The labels `[n]`: y, or the names of the images' folders.

    Raises:
        BadInput: there are none, or they are no classes.
        ValueError: from scikit-learn, of another number than examples, or not `[n]`.
    """
    if y is None:
        if given.labels is None:
            raise BadInput(
                "this estimator requires y to be passed, but the target y is None; give the "
                "labels [n], or as X a folder with a sub-folder for each class"
            )
        return np.asarray(given.labels)
    _demand_one_kind(y)
    y = np.asarray(y)
    shape = y.shape
    if len(shape) == 2 and shape[1] > 1:
        raise BadInput(
            f"y should be a 1d array, got {list(shape)}; of one-hot rows give y.argmax(1)"
        )
    y = column_or_1d(_dense(y), warn=True)
    check_consistent_length(given.inputs, y)
    check_classification_targets(y)
    return _composed(y)


def demand_each(y: Any, what: str) -> None:
    """Refuse one label or target for all examples, and what NumPy reads as one, such as a set."""
    if np.asarray(y).ndim == 0:
        raise BadInput(f"y is {y!r}; give a {what} for each example, in a list or an array")


def _demand_one_kind(y: Any) -> None:
    """Refuse missing labels, bytes, dates, which no file of ours holds, and names among numbers, of
    which NumPy would make strings."""
    if not isinstance(y, list | tuple):
        demand_each(y, "label")
        y = np.asarray(y)
        if y.dtype.kind not in "OSMmc":
            return
    words = [isinstance(label, str) for label in y]
    for place, label in enumerate(y):
        if label is None:
            raise BadInput(f"label {place} is None; give each example the label of its class")
        if isinstance(label, bytes):
            raise BadInput(f"label {place} is {label!r}; give text, label.decode(), or numbers")
        if not words[place] and np.ndim(label) == 0 and not _is_plain(label):
            raise BadInput(f"label {place} is {label!r}; give text, such as str(label), or numbers")
        if words[place] != words[0]:
            raise BadInput(
                f"label 0 is {y[0]!r}, and label {place} is {label!r}; give names or numbers, "
                "not both"
            )


def _composed(y: np.ndarray) -> np.ndarray:
    """Names in the one Unicode form in which they are compared; numbers as they are."""
    if y.dtype.kind not in "UO" or not all(isinstance(name, str) for name in y.tolist()):
        return y
    return np.array([one_form(name) for name in y.tolist()], None if y.dtype.kind == "U" else "O")


def _dense(y: np.ndarray) -> np.ndarray:
    kept: Any = None  # scikit-learn's annotation forgets that None keeps the type
    return check_array(y, ensure_2d=False, dtype=kept, input_name="y")


def repeated(y: Any, n: int) -> Any:
    """One label for each of n examples where a single one was given."""
    if y is None or np.ndim(y) > 1 or np.size(y) != 1:
        return y
    return np.repeat(np.asarray(y).reshape(1), n)


def demand_among(y: np.ndarray, classes: Any) -> None:
    """Refuse labels that are not in scikit-learn's list of the classes to come; None for none."""
    if classes is not None and not np.isin(y, np.asarray(classes)).all():
        missing = sorted(set(np.unique(y).tolist()) - set(np.asarray(classes).tolist()))
        raise BadInput(f"y has {missing}, which are not in classes; add them there")


def demand_several(y: np.ndarray) -> None:
    """Refuse examples of one class, which nothing is told from."""
    if len(np.unique(y)) < 2:
        raise BadInput(
            f"y has 1 class, {str(y[0])!r}; give examples of 2 classes or more, or "
            "unknown=True to tell this class from everything else"
        )


def alike(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Labels that can be compared with these classes.

    Raises:
        BadInput: names where there were numbers, or the other way round. NumPy would make
            strings of both.
    """
    if _is_number(y) != _is_number(classes):
        raise BadInput(
            f"the labels are {y.dtype}, such as {y[0]!r}, and the classes are {classes.dtype}, "
            f"such as {classes[0]!r}; give labels of the same kind"
        )
    return y


def unknown(label: Any, classes: np.ndarray) -> Any:
    """The answer for what is none of the classes.

    Raises:
        BadInput: it is one of the classes, or of another kind.
    """
    if isinstance(label, np.generic):  # a file holds Python's own numbers
        label = label.item()
    if label is None:
        label = -1 if _is_number(classes) else "unknown"
    if _is_number(np.asarray(label)) != _is_number(classes):
        raise BadInput(
            f"unknown_label is {label!r} and the classes are {classes.dtype}; give "
            + ("a number" if _is_number(classes) else "a string")
        )
    if label in classes.tolist():
        raise BadInput(f"unknown_label is {label!r}, which is a class; give another one")
    return label


def classes_to_json(classes: np.ndarray) -> dict[str, Any]:
    """Labels and their type."""
    return {"type": classes.dtype.str, "names": classes.tolist()}


def classes_from_json(value: dict[str, Any]) -> np.ndarray:
    """The labels that `classes_to_json` wrote."""
    kind = np.dtype(value["type"])
    # Only what labels can be; a file may say anything.
    if kind.kind not in "biufUO":
        raise ValueError(f"labels of the type {kind}")
    return np.array(value["names"], kind)


def _is_plain(label: Any) -> bool:
    return np.asarray(label).dtype.kind in "biuf"


def _is_number(y: np.ndarray) -> bool:
    return y.dtype.kind in "biuf" or (y.dtype == object and not isinstance(y.flat[0], str))
