"""Shares or numbers of classes."""

import pytest

import quickstudy as qs
from quickstudy.experiments.problems.shares import demand_there, divided
from quickstudy.tasks.splits import RATIOS


@pytest.mark.parametrize(
    ("classes", "ways", "asked", "wanted"),
    [
        (100, 5, None, RATIOS),
        (15, 5, None, (5, 5, 5)),
        (20, 5, None, (10, 5, 5)),
        (100, 5, (0.5, 0.25, 0.25), (0.5, 0.25, 0.25)),
        (9, 1, (1.0, 1.0, 1.0), (1, 1, 1)),
        (10, 2, (6.0, 2.0, 2.0), (6, 2, 2)),
    ],
)
def test_by_what_classes_are_divided(classes, ways, asked, wanted):
    assert divided(classes, ways, asked) == wanted


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "asked", [(3.9, 3.9, 3.9), (0.5, 0.5, 2.0), (NAN, 0.2, 0.3), (INF, 1.0, 1.0)]
)
def test_neither_shares_nor_numbers(asked):
    with pytest.raises(qs.BadInput, match="three shares of at most 1 in all, or three"):
        divided(9, 3, asked)


def test_a_class_that_was_removed_is_told_with_what_to_do():
    demand_there(("a",), {"a": 0, "b": 1}, "birds")
    with pytest.raises(qs.DataError, match=r"birds has no class 'c', .*; put it back, or .*--on"):
        demand_there(("a", "c"), {"a": 0, "b": 1}, "birds")
