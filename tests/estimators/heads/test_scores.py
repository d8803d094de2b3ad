"""Fitted heads: scores by hand, and a way through arrays and back."""

import numpy as np
import pytest

from quickstudy.estimators.heads.scores import (
    CentroidScores,
    KernelScores,
    LinearScores,
    gaussian,
    scores_from,
    scores_to,
    squared_distances,
)

X = np.array([[3.0, 4.0], [0.0, 2.0]])


def test_linear_scores_by_hand():
    scores = LinearScores("unit", np.array([[5.0, 0.0], [0.0, 5.0]]), np.array([1.0, 2.0]))
    np.testing.assert_allclose(scores(X), [[4, 6], [1, 7]])


def test_centroid_scores_by_hand():
    """z = (x − m) / ‖x − m‖ is (1, 0), and 0 for what lies in the centre."""
    centroids = np.array([[1.0, 0.0], [0.0, 2.0]])
    scores = CentroidScores("plain", np.array([0.0, 4.0]), centroids)
    np.testing.assert_allclose(scores(X[:1]), [[0, -5]])
    np.testing.assert_allclose(scores(np.array([[0.0, 4.0]])), [[-1, -4]])


def test_kernel_scores_by_hand():
    """At the only known point k = 1; at a distance of w√2 it is 1/e."""
    known, width = np.zeros((1, 2)), np.array(2.0)
    scores = KernelScores("plain", known, width, np.array([[3.0]]), np.array([10.0]))
    found = scores(np.array([[0.0, 0.0], [2.0, 2.0]]))
    np.testing.assert_allclose(found, [[13], [10 + 3 / np.e]])


def test_distances_are_never_below_zero():
    np.testing.assert_allclose(squared_distances(X, np.zeros((1, 2))), [[25], [4]])
    far = np.random.default_rng(0).normal(size=(20, 50)) + 1e6
    assert (squared_distances(far, far) >= 0).all()
    assert gaussian(far, far, 1.0).max() <= 1


HEADS = [
    LinearScores("root", np.ones((2, 3)), np.arange(3.0)),
    CentroidScores("unit", np.ones(2), np.ones((3, 2))),
    KernelScores("plain", np.ones((4, 2)), np.array(0.5), np.ones((4, 3)), np.arange(3.0)),
]


@pytest.mark.parametrize("scores", HEADS, ids=lambda scores: type(scores).__name__)
def test_a_fitted_head_goes_through_arrays(scores):
    arrays, about = scores_to(scores)
    assert about == {"kind": type(scores).__name__, "rows": scores.rows}
    found = scores_from({f"head.{name}": array for name, array in arrays.items()}, "head", about)
    assert type(found) is type(scores)
    np.testing.assert_array_equal(found(X), scores(X))


def test_nothing_and_what_is_no_head():
    assert scores_to(None) == ({}, None)
    assert scores_from({}, "head", None) is None
    for about in ({"kind": "Code", "rows": "plain"}, {"kind": "LinearScores", "rows": "plain"}):
        with pytest.raises(KeyError):
            scores_from({}, "head", about)
    with pytest.raises(ValueError, match="rows are 'odd'; expected one of"):
        scores_from({}, "head", {"kind": "LinearScores", "rows": "odd"})
