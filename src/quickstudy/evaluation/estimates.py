"""Means over tasks with their intervals, and two methods on the same tasks. Needs no JAX."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quickstudy.errors import BadInput

ROUNDING = 1e-6
"""Scores that differ by less than this share of themselves are equal."""


@dataclass(frozen=True)
class Estimate:
    """A mean over tasks and half the width of its 95 % interval, 1.96 s / √n."""

    mean: float
    interval: float

    @classmethod
    def of(cls, scores: np.ndarray) -> "Estimate":
        """The estimate from one score per task.

        Raises:
            BadInput: there are none.

        Example:
            >>> Estimate.of(np.array([0.0, 1.0, 0.0, 1.0]))
            Estimate(mean=0.5, interval=0.565803...)
        """
        if not len(scores):
            raise BadInput("there are no scores; give those of one task or more")
        scores = np.asarray(scores, np.float64)  # squares of large ones pass single precision
        with np.errstate(invalid="ignore", over="ignore"):  # a task that diverged has no interval
            deviation = float(scores.std(ddof=1)) if len(scores) > 1 else math.inf
            return cls(float(scores.mean()), 1.96 * deviation / math.sqrt(len(scores)))

    @classmethod
    def from_json(cls, value: dict[str, float | None]) -> "Estimate":
        """The estimate that a JSON file holds, where `null` is a number that was not finite.

        Example:
            >>> Estimate.from_json({"mean": 0.5, "interval": None})
            Estimate(mean=0.5, interval=nan)
        """
        return cls(**{name: number(one) for name, one in value.items()})


@dataclass(frozen=True)
class PairedDifference:
    """The scores x_i and y_i of two methods on the same tasks i, by their differences x_i − y_i.

    What makes a task hard for both cancels, so that the interval is narrower than those of the
    two means suggest.

    Attributes:
        difference: the mean of x_i − y_i and its 95 % interval over tasks.
        higher: in how many tasks x_i > y_i.
        equal: in how many they are equal, but for float32's rounding.
        lower: in how many x_i < y_i. Tasks in which either diverged count in none of the three.
    """

    difference: Estimate
    higher: int
    equal: int
    lower: int

    @classmethod
    def of(cls, scores: Sequence[float], others: Sequence[float]) -> "PairedDifference":
        """From the scores of as many tasks, in the same order.

        Raises:
            ValueError: not as many, or none.

        Example:
            >>> found = PairedDifference.of([0.9, 0.5, 0.7], [0.8, 0.4, 0.7])
            >>> found.higher, found.equal, found.lower
            (2, 1, 0)
            >>> Estimate.of(np.array([0.9, 0.5, 0.7])).interval > 3 * found.difference.interval
            True
        """
        x, y = np.array(scores), np.array(others)
        if x.shape != y.shape:
            raise ValueError(f"{len(x)} and {len(y)} scores cannot be of the same tasks")
        with np.errstate(invalid="ignore"):  # ∞ − ∞ of two that diverged
            difference = Estimate.of(x - y)
        # Devices round a mean over a task's answers differently.
        equal = np.isclose(x, y, rtol=ROUNDING, atol=0)
        counts = (np.count_nonzero(each) for each in ((x > y) & ~equal, equal, (x < y) & ~equal))
        return cls(difference, *map(int, counts))


def short(scores: np.ndarray) -> tuple[float, ...]:
    """Scores `[n]` with no more digits than their type holds, for files.

    Example:
        >>> short(np.array([0.2, 0.9], np.float32))
        (0.2, 0.9)
    """
    return tuple(float(str(one)) for one in scores)


def number(value: float | None) -> float:
    """A number of a JSON file, where `null` is one that was not finite."""
    return math.nan if value is None else value
