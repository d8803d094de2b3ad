"""Which listed task is in which split: every task in one, and what cannot be is refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.experiments.problems.own_tasks import in_a_row, places, told


@dataclass
class Angle:
    """A task that cannot be hashed."""

    angle: object


@pytest.mark.parametrize(("count", "sizes"), [(4, (2, 1, 1)), (10, (6, 2, 2)), (100, (64, 16, 20))])
def test_a_list_is_divided_for_ever(count, sizes):
    found = places(list(range(count)), "f")
    assert tuple(map(len, found.values())) == sizes
    assert sorted(n for own in found.values() for n in own) == list(range(count))
    assert found == places(np.arange(count) / 7, "f")


def test_splits_of_one_s_own_are_kept():
    tasks = {"test": ["c"], "train": ["a", "b"]}
    assert in_a_row(tasks, "f") == ["a", "b", "c"]
    assert places(tasks, "f") == {"train": (0, 1), "validation": (), "test": (2,)}
    tasks = {"train": [1, 2], "validation": np.array([3]), "test": (4, 5)}
    assert places(tasks, "f") == {"train": (0, 1), "validation": (2,), "test": (3, 4)}


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ({"train": [1, 2], "tests": [3]}, "f.tasks has the split 'tests'; choose from"),
        ({"train": [1, 2]}, "has 0 tasks in the split 'test'; give it at least 1"),
        ({"train": [1, 2], "test": []}, "has 0 tasks in the split 'test'"),
        ({"train": [1], "test": [2]}, "has 1 tasks in the split 'train'; give it at least 2"),
        ({"train": [1, 2], "validation": [], "test": [3]}, "no tasks in the split 'validation'"),
        ({"train": [1, 2], "test": [2]}, "lists the task 2 twice, as number 1 and number 2"),
        ({"train": [{"a": 1}, {"a": 2}], "test": [{"a": 1}]}, "as number 0 and number 2"),
        ({"train": np.eye(2), "test": np.eye(2)[:1]}, "twice, as number 0 and number 2"),
        ([0.5, 1.5, 2.5, np.float64(0.5)], "twice, as number 0 and number 3"),
        ([Angle(0.1), Angle([0.2]), Angle(0.3), Angle([0.2])], "twice, as number 1 and number 3"),
        ([1, 2, 3], "lists 3 tasks.*at least 4"),
        ("abcd", r"f\.tasks is 'abcd'; give a list"),
        ({"train": 5, "test": [1]}, r"f\.tasks\['train'\] is 5; give a list"),
        ({1, 2, 3, 4}, "has no order, and another in another program; give a list"),
        (frozenset("abcd"), "has no order"),
        ({"train": frozenset("ab"), "test": ["c"]}, "has no order"),
        ([True, False, 2, np.True_], "twice, as number 0 and number 3"),
    ],
)
def test_what_cannot_be_divided_is_refused(tasks, said):
    with pytest.raises(BadInput, match=said):
        places(tasks, "f")


def test_what_is_equal_to_another_kind_of_task_is_another():
    tasks = [0, 1, False, True, [1], [True]]
    assert sum(map(len, places(tasks, "f").values())) == 6


def test_the_views_of_a_dict_have_an_order():
    tasks = {"a": 0, "b": 1, "c": 2, "d": 3}
    assert in_a_row(tasks.keys(), "f") == list("abcd")
    assert in_a_row(tasks.values(), "f") == [0, 1, 2, 3]


def test_a_long_split_is_told_in_short():
    text = told(list(range(99)), "train", range(20))
    assert text.startswith("train: 20 of 99 tasks, number 0 (0), 1 (1)")
    assert text.endswith("9 (9) ...")
