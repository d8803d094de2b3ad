from datetime import date
from decimal import Decimal

import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.estimators import labels
from quickstudy.estimators.base import Given

GIVEN = Given(np.zeros((3, 2)), None, None)


@pytest.mark.parametrize("y", [["a", "b", "a"], [1, 5, 1], [True, False, True], [0.0, 2.0, 0.0]])
def test_labels_go_through_json(y):
    classes = np.unique(labels.checked(GIVEN, y))
    again = labels.classes_from_json(labels.classes_to_json(classes))
    assert again.dtype == classes.dtype
    assert again.tolist() == classes.tolist()


def test_folder_names_are_labels():
    given = Given(np.zeros((2, 2)), None, ["b", "a"])
    assert labels.checked(given, None).tolist() == ["b", "a"]


@pytest.mark.parametrize("y", [None, np.eye(3), [0.5, 1.2, 0.1], ["a", "b"], [1, np.nan, 2]])
def test_no_labels(y):
    with pytest.raises(ValueError, match=r"."):
        labels.checked(GIVEN, y)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (["a", None, "b"], "label 1 is None"),
        ([None, 1, 0], "label 0 is None"),
        (np.array(["a", None, "b"], object), "label 1 is None"),
        (["a", "b", 1], "label 2 is 1"),
        ((1, 0, "a"), "label 2 is 'a'"),
        ([b"a", b"b", b"a"], r"label 0 is b'a'; give text, label.decode\(\)"),
        (np.array([b"a", b"b", b"a"]), r"label 0 is .*b'a'\)?; give text"),
        ("a", "y is 'a'; give a label for each example"),
        (3, "y is 3; give a label for each example"),
        (np.array(["2020-01-01"] * 3, "M8[D]"), "label 0 is .*2020-01-01.*; give text, such as"),
        ([1, 2, date(2020, 1, 1)], "label 2 is datetime.*; give text"),
        ([Decimal(1)] * 3, "label 0 is Decimal.*; give text"),
        ({"a"}, "y is {'a'}; give a label for each example"),
    ],
)
def test_labels_that_are_none_are_named(y, said):
    with pytest.raises(BadInput, match=said):
        labels.checked(GIVEN, y)


def test_names_and_numbers_do_not_mix():
    with pytest.raises(BadInput, match="of the same kind"):
        labels.alike(np.array(["a"]), np.array([1]))


def test_the_answer_for_unknown():
    assert labels.unknown(None, np.array(["a"])) == "unknown"
    assert labels.unknown(None, np.array([1])) == -1
    assert type(labels.unknown(np.int64(9), np.array([1]))) is int
    assert type(labels.unknown(np.str_("z"), np.array(["a"]))) is str
    assert labels.unknown("other", np.array(["a"])) == "other"


def test_one_label_for_all():
    assert labels.repeated(["a"], 3).tolist() == ["a"] * 3
    assert labels.repeated("a", 3).tolist() == ["a"] * 3
    assert labels.repeated("a", 1).tolist() == ["a"]
    assert labels.repeated(["a", "b"], 2) == ["a", "b"]


def test_numbers_of_any_kind_are_labels():
    for y in ([np.int64(1), 2, True], [jnp.array(1), jnp.array(0), jnp.array(1)]):
        assert labels.checked(GIVEN, y).shape == (3,)
