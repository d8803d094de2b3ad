"""What heads share: rows, class means, and a decomposition."""

import numpy as np
import pytest

from quickstudy.estimators.heads.labelled import Labelled, decomposed, demand_rows, in_rows


@pytest.mark.parametrize("shape", [(5, 9), (9, 5)])
def test_decomposition_loses_nothing(shape):
    x = np.random.default_rng(5).normal(size=shape)
    left, singular, right = decomposed(x)
    np.testing.assert_allclose(left * singular @ right.T, x, atol=1e-12)
    assert decomposed(np.zeros(shape))[1].shape == (0,)


def test_rows_of_tiny_and_huge_numbers():
    x = np.array([[3e-200, 4e-200], [3e200, 4e200], [0.0, 0.0]])
    np.testing.assert_allclose(in_rows(x, "unit"), [[0.6, 0.8], [0.6, 0.8], [0, 0]])


EXAMPLES = Labelled(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 8.0]]), np.array([0, 0, 1]), 2)


def test_classes_of_unequal_sizes_by_hand():
    assert EXAMPLES.counts.tolist() == [2, 1]
    assert EXAMPLES.judged.tolist() == [True, True, False], "one that is alone is not judged"
    assert (EXAMPLES.class_means @ EXAMPLES.x).tolist() == [[2, 3], [5, 8]]
    assert EXAMPLES.only(np.array([0, 2])).counts.tolist() == [1, 1]


def test_a_view_is_made_once_and_centred():
    view = EXAMPLES.view("plain")
    assert EXAMPLES.view("plain") is view
    assert view.mean.tolist() == [3, 14 / 3]
    np.testing.assert_allclose(view.coordinates @ view.right.T, view.centred, atol=1e-12)
    np.testing.assert_allclose(view.scale, np.square(view.centred).sum() / 3)


def test_targets_stay_numbers():
    targets = Labelled(EXAMPLES.x, np.array([[1], [2], [3]]), 0)
    assert targets.onehot.tolist() == [[1.0], [2.0], [3.0]]


@pytest.mark.parametrize("name", ["plain", "unit", "root"])
def test_rows_by_name(name):
    assert demand_rows(name) == name
    with pytest.raises(ValueError, match="rows are 'odd'"):
        demand_rows("odd")
