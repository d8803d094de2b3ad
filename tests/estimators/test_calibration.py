import numpy as np
import pytest

from quickstudy.estimators.calibration import (
    Calibration,
    negative_log_likelihood,
    probabilities,
)
from quickstudy.evaluation.calibration_error import expected_calibration_error


def drawn(n, factor, seed=0):
    """Labels drawn from softmax(s), and `factor` · s: over-confident where it is above 1."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 4)) * 1.5
    p = probabilities(scores, 1.0)
    y = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    return factor * scores, y


@pytest.mark.parametrize("factor", [0.1, 8.0])
def test_the_temperature_is_found_and_helps_others(factor):
    calibration = Calibration.of(*drawn(2000, factor))
    assert abs(calibration.temperature / factor - 1) < 0.1
    scores, y = drawn(2000, factor, seed=1)
    before, after = (probabilities(scores, t) for t in (1.0, calibration.temperature))
    assert negative_log_likelihood(after, y) < negative_log_likelihood(before, y) - 0.1
    assert expected_calibration_error(after, y) < 0.04 < expected_calibration_error(before, y)


def test_it_is_the_minimum_of_the_smoothed_loss():
    scores, y = drawn(50, 5.0)
    targets = np.full(scores.shape, 1 / (52 * 3))
    targets[np.arange(50), y] = 51 / 52

    def loss(temperature):
        return -(targets * np.log(probabilities(scores, temperature))).sum()

    t = Calibration.of(scores, y).temperature
    assert loss(t) < min(loss(t * 1.01), loss(t / 1.01))


def test_few_examples_that_are_all_right_are_not_certain():
    scores = 100 * np.eye(3)[[0, 1, 2, 0]]
    calibration = Calibration.of(scores, np.array([0, 1, 2, 0]))
    p = probabilities(scores, calibration.temperature)
    np.testing.assert_allclose(p.max(1), 5 / 6, rtol=1e-6)


def test_nothing_held_out_and_json():
    nothing = Calibration.of(np.zeros((0, 3)), np.zeros(0, int))
    assert nothing.examples == 0
    assert np.isnan(nothing.ece)
    again = Calibration.from_json(nothing.to_json())
    assert again.temperature == nothing.temperature
    assert np.isnan(again.nll)
