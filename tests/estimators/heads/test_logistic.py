"""Logistic regression is the minimum that it is said to be."""

import numpy as np
import pytest

from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.estimators.heads.logistic import LogisticHead


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
