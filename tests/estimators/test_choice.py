import numpy as np
import pytest

from quickstudy.estimators import choice
from quickstudy.estimators.heads.centroids import CentroidHead
from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.estimators.heads.ridge import RidgeHead


def examples(shots=7, ways=3, d=5, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(ways).repeat(shots)
    return Labelled(rng.normal(size=(len(y), d)) + 2 * rng.normal(size=(ways, d))[y], y, ways)


def test_folds_hold_each_class_and_leave_out_each_example_once():
    y = np.concatenate([np.zeros(7, int), np.ones(2, int), [2], np.full(12, 3)])
    place = choice.fold_numbers(Labelled(np.zeros((len(y), 1)), y, 4), 5)
    assert place[y == 2].tolist() == [-1]
    assert (np.delete(place, 9) >= 0).all()
    for fold in range(5):
        assert set(y[place != fold]) == {0, 1, 2, 3}
    sizes = np.bincount(place[place >= 0])
    assert sizes.max() - sizes.min() <= 1


def test_many_examples_are_judged_by_folds(monkeypatch):
    given = examples()
    exact = choice.held_out(CentroidHead(), given)
    monkeypatch.setattr(choice, "MANY", 10)
    folded = choice.held_out(CentroidHead(), given)
    assert np.isfinite(folded).all()
    assert 0 < np.abs(folded - exact).max() < 0.5


def test_equal_heads_go_to_the_first():
    given = examples()
    held = [choice.judged(name, RidgeHead(1.0), given) for name in ("ridge", "centroids")]
    assert choice.best(held).name == "ridge"
    assert choice.best(held[::-1]).name == "centroids"


@pytest.mark.parametrize(
    ("x", "rows"),
    [
        (np.ones((2, 3)), ("plain", "root")),
        (-np.ones((2, 3)), ("plain", "unit")),
        (np.ones((2, 64)), ("root",)),
        (-np.ones((2, 64)), ("unit",)),
    ],
)
def test_rows_that_are_tried(x, rows):
    assert choice.possible_rows(Labelled(x, np.arange(2), 2)) == rows


def test_a_head_goes_through_json():
    for name in choice.HEADS:
        head = choice.default_head(name, examples())
        assert choice.head_from_json(choice.head_to_json(head)) == head
