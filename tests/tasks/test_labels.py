"""Labels of any kind, and what looks like labels."""

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.errors import BadInput
from quickstudy.tasks.labels import numbered

ANY = {
    "from 1": ([1, 2, 2], [0, 1, 1], (1, 2)),
    "gaps": ([0, 7, 3], [0, 2, 1], (0, 3, 7)),
    "below 0": ([-1, 1, -1], [0, 1, 0], (-1, 1)),
    "strings": (["b", "a", "b"], [1, 0, 1], ("a", "b")),
    "objects": (np.array(["b", "a"], object), [1, 0], ("a", "b")),
    "bytes": ([b"b", b"a"], [1, 0], ("a", "b")),
    "bools": ([True, False], [1, 0], (False, True)),
    "column": ([[3], [5]], [0, 1], (3, 5)),
    "one-hot": ([[0, 0, 1], [1, 0, 0]], [2, 0], (0, 1, 2)),
    "one-hot floats": ([[0.0, 1.0], [1.0, 0.0]], [1, 0], (0, 1)),
    "two forms": (["cafe\u0301", "caf\u00e9"], [0, 0], ("caf\u00e9",)),
}


@pytest.mark.parametrize("name", ANY)
def test_labels_are_numbered_and_the_classes_kept(name):
    y, numbers, classes = ANY[name]
    examples, found = qs.labelled(np.zeros((len(numbers), 2)), y)
    assert (examples.y.tolist(), found, examples.ways) == (numbers, classes, len(classes))


def test_a_query_set_counts_as_its_support_set():
    """Alone, its labels would be 0 and 0."""
    assert numbered(["c"], ["a", "b", "c"])[0].tolist() == [2]
    query, classes = qs.labelled([[0.0]], ["c"], ("a", "b", "c"))
    assert (query.y.tolist(), query.ways, classes) == ([2], 3, ("a", "b", "c"))
    with pytest.raises(BadInput, match=r"the label 'd' is none of the 3 classes: 'a', 'b', 'c'"):
        numbered(["d"], ["a", "b", "c"])
    with pytest.raises(BadInput, match="name one twice"):
        numbered(["a"], ["a", "a"])


@pytest.mark.parametrize(
    "y",
    [[0.5, 1.0], [None, "a"], ["a", 1, None], [[1, 1], [0, 1]], [["a", "b"]], np.zeros((1, 1, 1))],
)
def test_what_is_no_label_is_refused(y):
    with pytest.raises(BadInput, match="the labels are"):
        numbered(np.array(y, object) if None in np.ravel(np.array(y, object)) else y)


REFUSED = {
    "from 1": ([1, 2], r"class numbers 1 \.\.\. 2.*labelled\(x, y"),
    "gaps": ([0, 2], r"without gaps.*labelled\(x, y"),
    "below 0": ([-1, 0], "labelled"),
    "strings": (["a", "b"], "names, not numbers.*labelled"),
    "column": ([[0], [1]], r"column of whole numbers.*y\[:, 0\]"),
    "one-hot": ([[1, 0], [0, 1]], r"one-hot.*y\.argmax\(1\)"),
    "one-hot floats": ([[1.0, 0], [0, 1]], "one-hot"),
    "one-hot bools": ([[True, False], [False, True]], "one-hot"),
    "whole floats": ([0.0, 1.0], r"whole numbers as float64.*y\.astype\(int\)"),
    "bools in rows": ([[True, True], [False, True]], "class numbers"),
    "three axes": (np.zeros((2, 1, 1)), "targets"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_examples_refuse_what_they_would_misread(name):
    y, message = REFUSED[name]
    with pytest.raises(BadInput, match=message):
        qs.Examples.of(np.zeros((2, 3)), y)


def test_targets_are_columns():
    found = qs.Examples.of(np.zeros((2, 3)), [0.5, 1.0])
    assert (found.y.shape, found.ways) == ((2, 1), None)
    assert qs.Examples.of(np.zeros((2, 3)), [[0.5, 1.0], [2.0, 3.0]]).y.shape == (2, 2)
    assert qs.Examples.of(np.zeros((2, 3)), [False, True]).ways == 2
