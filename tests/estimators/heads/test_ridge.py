"""Ridge regression is the minimum that it is said to be."""

import numpy as np

from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.estimators.heads.ridge import RidgeHead


def test_ridge_is_the_minimum():
    """The normal equations, with an intercept that is not penalised."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(20, 5)) + 4, rng.normal(size=(20, 3))
    scores = RidgeHead(0.7).fit(Labelled(x, y, 0))
    error = scores(x) - y
    np.testing.assert_allclose(x.T @ error + 0.7 * scores.weight, 0, atol=1e-11)
    np.testing.assert_allclose(error.sum(0), 0, atol=1e-11)
