"""A regression before and after adaptation."""

import jax
import numpy as np

from quickstudy.experiments.pictures.regression import FittedCurve, regression, regression_chart
from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import squared_error
from quickstudy.tasks.sinusoid import Sinusoid
from references.reading_classes import Reads


class Steps(Learner):
    """After k steps it predicts k everywhere."""

    def adapt(self, support, *, key=None):
        return lambda x: jax.numpy.full((len(x), 1), 99.0)

    def adapt_by_steps(self, support, steps):
        return jax.tree_util.Partial(lambda k, x: jax.numpy.full(x.shape, k),
                                     jax.numpy.arange(steps + 1.0))  # fmt: skip


def test_a_regression_is_drawn_after_0_1_5_and_10_steps():
    tasks, key = Sinusoid(shots=4), jax.random.key(0)
    found = regression(Steps(loss=squared_error), tasks, key)
    assert [curve[7] for curve in found.curves.values()] == [0, 1, 5, 10]
    truth = tasks.truth(key)(jax.numpy.asarray(found.x[:, None]))[:, 0]
    np.testing.assert_allclose(found.truth, truth, atol=1e-6)
    np.testing.assert_allclose(found.support[1], tasks.sample(key).support.y[:, 0])
    without = regression(Reads(loss=squared_error), tasks, key)
    assert list(without.curves) == ["before", "after"]
    truth, *predicted, points = regression_chart(found).lines
    assert (truth.label, truth.style) == ("truth", "dashed")
    assert [line.label for line in predicted] == list(found.curves)
    assert (points.style, len(points.x)) == ("dots", 4)
    np.testing.assert_allclose(points.y, found.support[1])


def test_predictions_that_run_away_leave_the_picture():
    x = np.linspace(-5, 5, 11)
    for reached, limit in ((1.0, 2.1), (3.0, 3.15), (99.0, 5.25), (np.inf, 2.1)):
        found = FittedCurve(x, 2 * np.ones(11), np.zeros((2, 3)), {"after": np.full(11, reached)})
        np.testing.assert_allclose(regression_chart(found).y.limits, (-limit, limit))
