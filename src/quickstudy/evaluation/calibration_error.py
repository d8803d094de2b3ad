"""The expected calibration error: whether a probability of 0.8 is right in 80 % of all cases.

ECE = Σ_b n_b / n · |accuracy_b − confidence_b| over ten bins b of equal width of the probability
of the predicted class (Guo et al., 2017, https://arxiv.org/abs/1706.04599).
"""

from typing import Any

import numpy as np

BINS = 10


def bin_gaps(confidence: Any, right: Any) -> Any:
    """n_b (accuracy_b − confidence_b) for each bin, which may be summed over sets of answers.

    Args:
        confidence: the probability of the predicted class `[n]`, of NumPy, or traced by JAX.
        right: whether that class is the right one `[n]`. An answer for which both are 0 counts
            for nothing.

    Example:
        >>> bin_gaps(np.array([0.9, 0.9]), np.array([1.0, 0.0])).round(2).tolist()[-1]
        -0.8
    """
    # A confidence of 1 belongs to the last bin.
    place = (confidence * BINS).astype("int32").clip(0, BINS - 1)
    # Without dividing by the number in a bin, which may be 0.
    gaps = (right - confidence)[:, None] * (place[:, None] == np.arange(BINS)[None])
    return gaps.sum(0)


def calibration_error(gaps: np.ndarray, answers: float) -> float:
    """ECE from the sums of `bin_gaps` over all answers, and their number."""
    return float(np.abs(gaps).sum() / answers)


def expected_calibration_error(given: np.ndarray, y: np.ndarray) -> float:
    """The mean gap between what a prediction claims and how often it is right.

    Args:
        given: probabilities `[n, ways]`.
        y: class numbers `[n]`.

    Example:
        >>> sure = np.array([[0.9, 0.1], [0.9, 0.1]])
        >>> round(expected_calibration_error(sure, np.array([0, 1])), 3)
        0.4
    """
    return calibration_error(bin_gaps(given.max(1), given.argmax(1) == y), len(y))
