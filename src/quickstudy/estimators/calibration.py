"""Probabilities that can be believed: a temperature from held-out scores, and what it is worth."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quickstudy.evaluation.calibration_error import expected_calibration_error

LIMITS = (1e-3, 1e5)
"""Of the sharpness 1 / T."""

UNKNOWN_SHARPNESS = 5.0
"""1 / T where nothing can be held out: of one example per class, whose scores are −‖z − c‖²
from −4 to 0. Measured: see `benchmarks/few_shot_classifier.py`."""


@dataclass(frozen=True)
class Calibration:
    """What turns scores into probabilities, softmax(scores / T), and how good these are.

    All figures are of held-out scores of the support set, which also chose T (one number), so
    they are slightly too good.

    Attributes:
        temperature: T.
        examples: on how many held-out examples; 0 where none could be held out, and T is a
            constant.
        nll: mean negative log likelihood per example, in nats; `nan` without examples.
        nll_before: the same with T = 1.
        ece: expected calibration error, a share; see `expected_calibration_error`.
        ece_before: the same with T = 1.

    Example:
        >>> scores = np.array([[4.0, 0.0], [0.0, 4.0], [4.0, 0.0], [0.0, 4.0]])
        >>> Calibration.of(scores, np.array([0, 1, 0, 0])).temperature > 2  # one is wrong
        True
    """

    temperature: float
    examples: int
    nll: float
    nll_before: float
    ece: float
    ece_before: float

    @classmethod
    def of(cls, scores: np.ndarray, y: np.ndarray) -> "Calibration":
        """The temperature of the least smoothed negative log likelihood.

        The target of the right class is (n + 1) / (n + 2) instead of 1 (Platt, 1999): the scores
        of a few examples that are all right would otherwise ask for certainty. Temperature
        scaling: Guo et al. (2017, https://arxiv.org/abs/1706.04599).

        Args:
            scores: held out, `[n, ways]`.
            y: class numbers `[n]`.
        """
        if len(scores) == 0 or scores.shape[1] < 2:
            nan = float("nan")
            return cls(1 / UNKNOWN_SHARPNESS, 0, nan, nan, nan, nan)
        temperature = 1 / _sharpness(scores, y)
        after, before = (probabilities(scores, t) for t in (temperature, 1.0))
        return cls(
            temperature=temperature,
            examples=int(scores.shape[0]),
            nll=negative_log_likelihood(after, y),
            nll_before=negative_log_likelihood(before, y),
            ece=expected_calibration_error(after, y),
            ece_before=expected_calibration_error(before, y),
        )

    def to_json(self) -> dict[str, Any]:
        """A dictionary for a file's header; what is no number there is None."""
        return {k: None if math.isnan(v) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Calibration":
        """What `to_json` wrote."""
        kept: dict[str, Any] = {k: math.nan if v is None else v for k, v in value.items()}
        return cls(**kept)


def probabilities(scores: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(scores / T) over the last axis, in float64.

    Example:
        >>> probabilities(np.array([[0.0, 2.0]]), temperature=2.0).round(3).tolist()
        [[0.269, 0.731]]
    """
    return np.exp(_log_probabilities(scores, 1 / temperature))


def negative_log_likelihood(given: np.ndarray, y: np.ndarray) -> float:
    """The mean of −log of the probability of the right class, in nats."""
    # A probability that was rounded to 0 would make the mean infinite.
    right = given[np.arange(len(y)), y]
    return float(-np.log(np.maximum(right, 1e-300)).mean())


def _log_probabilities(scores: np.ndarray, sharpness: float) -> np.ndarray:
    scaled = sharpness * (scores - scores.max(-1, keepdims=True))
    return scaled - np.log(np.exp(scaled).sum(-1, keepdims=True))


def _sharpness(scores: np.ndarray, y: np.ndarray) -> float:
    """1 / T, where the derivative of a convex function is 0, found by bisection of its logarithm.

    d/dβ of the smoothed loss is mean(Σ_k p_k s_k − Σ_k t_k s_k), the scores that the predictions
    expect less those that the targets do.
    """
    n, ways = scores.shape
    scores = scores - scores.max(1, keepdims=True)
    targets = np.full((n, ways), 1 / ((n + 2) * (ways - 1)))
    targets[np.arange(n), y] = (n + 1) / (n + 2)
    wanted = float((targets * scores).sum())
    low, high = LIMITS
    # Enough halvings to get from eight decades to the last digit of a float64.
    for _ in range(100):
        middle = float(np.sqrt(low * high))
        if float((np.exp(_log_probabilities(scores, middle)) * scores).sum()) < wanted:
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))
