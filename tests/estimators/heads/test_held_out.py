"""Each head's closed form of leave-one-out is what refitting without each example gives."""

import numpy as np
import pytest

from quickstudy.estimators.choice import by_folds
from quickstudy.estimators.heads.centroids import CentroidHead
from quickstudy.estimators.heads.discriminant import DiscriminantHead
from quickstudy.estimators.heads.kernel import KernelHead
from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.estimators.heads.ridge import RidgeHead
from references.unbalanced import unbalanced

HEADS = {
    "centroids": lambda rows: CentroidHead(rows),
    "ridge": lambda rows: RidgeHead(2.3, rows),
    "discriminant": lambda rows: DiscriminantHead(0.3, rows),
    "near means": lambda rows: DiscriminantHead(0.999, rows),
}


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
