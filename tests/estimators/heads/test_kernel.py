"""Kernel ridge regression: its weights solve its equations, and it becomes the mean far away."""

import numpy as np

from quickstudy.estimators.heads.kernel import KernelHead
from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.estimators.heads.scores import gaussian

DRAWN = np.random.default_rng(0)
X, Y = DRAWN.normal(size=(9, 3)), DRAWN.normal(size=(9, 2))


def test_the_intercept_is_not_penalised():
    """K a + 1 b + λ a = Y with weights that sum to zero."""
    scores = KernelHead(0.3, 1.5).fit(Labelled(X, Y, 0))
    kernel = gaussian(X, X, 1.5)
    np.testing.assert_allclose(kernel @ scores.weight + scores.bias + 0.3 * scores.weight, Y)
    np.testing.assert_allclose(scores.weight.sum(0), 0, atol=1e-12)


def test_far_from_all_examples_it_is_the_intercept():
    scores = KernelHead(0.3, 1.5).fit(Labelled(X, Y, 0))
    np.testing.assert_allclose(scores(np.full((1, 3), 1e3))[0], scores.bias)


def test_a_small_penalty_fits_and_a_large_one_has_the_mean():
    close, flat = (KernelHead(penalty, 1.0).fit(Labelled(X, Y, 0)) for penalty in (1e-9, 1e9))
    np.testing.assert_allclose(close(X), Y, atol=1e-6)
    np.testing.assert_allclose(flat(X), np.tile(Y.mean(0), (9, 1)), atol=1e-6)


def test_rows_are_changed_before_the_kernel():
    unit = KernelHead(0.3, 1.5, "unit").fit(Labelled(X, Y, 0))
    np.testing.assert_allclose(unit(X), unit(5 * X))
    np.testing.assert_allclose(np.linalg.norm(unit.known, axis=1), 1)
