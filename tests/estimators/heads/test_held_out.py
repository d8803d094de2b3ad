"""Each head's closed form of leave-one-out is what refitting without each example gives."""

import numpy as np
import pytest

from quickstudy.estimators.choice import by_folds
from quickstudy.estimators.heads.centroids import CentroidHead
from quickstudy.estimators.heads.discriminant import DiscriminantHead
from quickstudy.estimators.heads.kernel import KernelHead
from quickstudy.estimators.heads.labelled import Labelled, decomposed, in_rows
from quickstudy.estimators.heads.logistic import LogisticHead
from quickstudy.estimators.heads.ridge import RidgeHead

HEADS = {
    "centroids": lambda rows: CentroidHead(rows),
    "ridge": lambda rows: RidgeHead(2.3, rows),
    "discriminant": lambda rows: DiscriminantHead(0.3, rows),
    "near means": lambda rows: DiscriminantHead(0.999, rows),
}


def unbalanced(n, d, ways, seed=0):
    """Classes of many sizes; the last has a single example."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(ways).repeat(2), rng.integers(0, ways, n - 2 * ways - 1), [ways]])
    x = rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(ways + 1, d))[y] + 3
    return Labelled(x, y, ways + 1)


def refitted(head, examples):
    return by_folds(lambda part, x: head.fit(part)(x), examples, folds=len(examples))


@pytest.mark.parametrize("rows", ["plain", "unit", "root"])
@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize(("n", "d", "ways"), [(14, 40, 3), (40, 6, 4), (9, 9, 2)])
def test_leave_one_out_is_refitting(name, rows, n, d, ways):
    examples, head = unbalanced(n, d, ways), HEADS[name](rows)
    quick, slow = head.held_out(examples), refitted(head, examples)
    assert np.isnan(quick).all(1).tolist() == (~examples.judged).tolist()
    if isinstance(head, DiscriminantHead):  # its scores are defined up to a number per example
        quick, slow = (s - s.mean(1, keepdims=True) for s in (quick, slow))
    scale = np.nanmax(np.abs(slow))
    np.testing.assert_allclose(quick, slow, rtol=1e-9, atol=1e-11 * max(scale, 1))


@pytest.mark.parametrize("head", [RidgeHead(0.4), KernelHead(0.1, 2.0), KernelHead(1e-3, 0.7)])
@pytest.mark.parametrize(("n", "d"), [(12, 30), (30, 4)])
def test_leave_one_out_of_targets_is_refitting(head, n, d):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, 2))
    slow = [
        head.fit(Labelled(np.delete(x, i, 0), np.delete(y, i, 0), 0))(x[i : i + 1])[0]
        for i in range(n)
    ]
    quick = head.held_out(Labelled(x, y, 0))
    np.testing.assert_allclose(quick, np.array(slow), rtol=1e-8, atol=1e-10)


def test_ridge_is_the_minimum():
    """The normal equations, with an intercept that is not penalised."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(20, 5)) + 4, rng.normal(size=(20, 3))
    scores = RidgeHead(0.7).fit(Labelled(x, y, 0))
    error = scores(x) - y
    np.testing.assert_allclose(x.T @ error + 0.7 * scores.weight, 0, atol=1e-11)
    np.testing.assert_allclose(error.sum(0), 0, atol=1e-11)


def test_discriminant_is_scikit_learns():
    """With scikit-learn's covariance, divided by n instead of n − N, and its priors."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(3)
    y = np.arange(3).repeat(10)
    x = rng.normal(size=(30, 4)) + rng.normal(size=(3, 4))[y]
    means = np.stack([x[y == k].mean(0) for k in range(3)])
    apart = (x - means[y]).T @ (x - means[y]) / 27
    shrunk = 0.8 * apart + 0.2 * np.trace(apart) / 4 * np.eye(4)

    class Given:
        def fit(self, x):
            self.covariance_ = shrunk
            return self

    model = LinearDiscriminantAnalysis(
        solver="lsqr", priors=[1 / 3] * 3, covariance_estimator=Given()
    )
    theirs = model.fit(x, y).decision_function(x)
    ours = DiscriminantHead(0.2).fit(Labelled(x, y, 3))(x)
    differences = [s - s[:, :1] for s in (ours, theirs)]
    np.testing.assert_allclose(differences[0], differences[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("ways", [2, 3])
def test_logistic_regression_is_the_minimum(ways):
    """The gradient of the weighted loss, ½ λ ‖W‖² included, is 0."""
    rng = np.random.default_rng(4)
    y = np.concatenate([np.zeros(9, int), np.arange(ways).repeat(4)])
    x = rng.normal(size=(len(y), 6)) + rng.normal(size=(ways, 6))[y]
    examples = Labelled(x, y, ways)
    scores = LogisticHead(0.9).fit(examples)
    p = np.exp(scores(x)) / np.exp(scores(x)).sum(1, keepdims=True)
    weights = len(y) / (ways * examples.counts[y])
    gradient = x.T @ (weights[:, None] * (p - examples.onehot)) + 0.9 * scores.weight
    np.testing.assert_allclose(gradient, 0, atol=2e-3)


def test_centroids_are_the_papers():
    """z = (x − m) / ‖x − m‖, and the nearest mean of z."""
    examples = unbalanced(20, 5, 3)
    scores = CentroidHead().fit(examples)
    means = np.stack([examples.x[examples.y == k].mean(0) for k in range(4)])
    z = examples.x - means.mean(0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    centroids = np.stack([z[examples.y == k].mean(0) for k in range(4)])
    wanted = -np.square(z[:, None] - centroids).sum(-1)
    np.testing.assert_allclose(scores(examples.x), wanted, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5)])
def test_decomposition_loses_nothing(shape):
    x = np.random.default_rng(5).normal(size=shape)
    left, singular, right = decomposed(x)
    np.testing.assert_allclose(left * singular @ right.T, x, atol=1e-12)
    assert decomposed(np.zeros(shape))[1].shape == (0,)


def test_rows_of_tiny_and_huge_numbers():
    x = np.array([[3e-200, 4e-200], [3e200, 4e200], [0.0, 0.0]])
    np.testing.assert_allclose(in_rows(x, "unit"), [[0.6, 0.8], [0.6, 0.8], [0, 0]])
