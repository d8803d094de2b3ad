"""How good a classifier is: its accuracy with an interval, and which classes it confuses."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quickstudy.estimators.calibration import negative_log_likelihood
from quickstudy.evaluation.calibration_error import expected_calibration_error


@dataclass(frozen=True)
class Proportion:
    """So many of so many, with the 95 % interval of Wilson (1927).

    The interval, (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n) with z = 1.96, stays inside
    0 ... 1 and is honest for few examples, where 1.96 s / √n is not.

    Attributes:
        count: how many.
        of: of how many.

    Example:
        >>> print(Proportion(9, 10))
        90.0 % (59.6 to 98.2 %, 9 of 10)
    """

    count: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1; `nan` of none."""
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Its lower and upper end."""
        if self.of == 0:
            return 0.0, 1.0
        n, p, z = self.of, self.share, 1.959963984540054
        middle = p + z * z / (2 * n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
        return max(low, 0.0), min(high, 1.0)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{100 * self.share:.1f} % ({100 * low:.1f} to {100 * high:.1f} %, "
            f"{self.count} of {self.of})"
        )


@dataclass(frozen=True)
class Confusion:
    """A class that is taken for another.

    Attributes:
        label: the right class.
        answer: what was answered.
        count: how often.
        of: how many there are of the right class.
    """

    label: Any
    answer: Any
    count: int
    of: int


@dataclass(frozen=True)
class Scorecard:
    """What a classifier gets right.

    Attributes:
        accuracy: of its answers.
        pixels: that of nearest centroids on thumbnails, fitted on the same images: what the
            encoder and the head must beat to earn their place; None for features.
        confused: the pairs of classes, the most frequent first.
        ece: the expected calibration error of the probabilities; `nan` without known classes.
        nll: their mean negative log likelihood in nats.

    Example:
        >>> import quickstudy as qs
        >>> x, y = np.eye(4).repeat(3, 0), np.arange(4).repeat(3)
        >>> card = qs.FewShotClassifier().fit(x, y).report(x[:9], [0, 0, 0, 1, 1, 1, 2, 2, 0])
        >>> print(card)
        accuracy 88.9 % (56.5 to 98.0 %, 8 of 9)
        0 taken for 2: 1 of 4
    """

    accuracy: Proportion
    pixels: Proportion | None
    confused: tuple[Confusion, ...]
    ece: float
    nll: float

    @classmethod
    def of(
        cls,
        y: np.ndarray,
        answers: np.ndarray,
        *,
        given: np.ndarray,
        classes: np.ndarray,
        pixels: np.ndarray | None = None,
    ) -> "Scorecard":
        """The figures of some answers.

        Args:
            y: the right labels `[n]`.
            answers: `[n]`.
            given: probabilities of the classes, `[n, ways]`.
            classes: their labels, sorted; other labels have no probability and are left out of
                `ece` and `nll`.
            pixels: the answers of the nearest centroids on thumbnails, `[n]`.
        """
        known = np.isin(y, classes)
        numbers, given = np.searchsorted(classes, y[known]), given[known]
        return cls(
            proportion(answers == y),
            None if pixels is None else proportion(pixels == y),
            confused_pairs(y, answers),
            expected_calibration_error(given, numbers) if known.any() else math.nan,
            negative_log_likelihood(given, numbers) if known.any() else math.nan,
        )

    def __str__(self) -> str:
        lines = [f"accuracy {self.accuracy}"]
        if self.pixels is not None:
            lines.append(f"nearest centroids on pixels {self.pixels}")
        lines += [f"{c.label} taken for {c.answer}: {c.count} of {c.of}" for c in self.confused]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """A dictionary for JSON; the proportions with their intervals."""
        shares = {"accuracy": self.accuracy, "pixels": self.pixels}
        parts = {
            name: one and {**asdict(one), "share": one.share, "interval": list(one.interval)}
            for name, one in shares.items()
        }
        pairs = [
            {"label": _plain(c.label), "answer": _plain(c.answer), "count": c.count, "of": c.of}
            for c in self.confused
        ]
        return {**parts, "confused": pairs, "ece": self.ece, "nll": self.nll}


def proportion(right: np.ndarray) -> Proportion:
    """How many are true."""
    return Proportion(int(np.sum(right)), len(right))


def confused_pairs(y: np.ndarray, answers: np.ndarray) -> tuple[Confusion, ...]:
    """The pairs of a label and another answer, the most frequent first, then by label."""
    wrong = answers != y
    pairs: dict[tuple[Any, Any], int] = {}
    for label, answer in zip(y[wrong].tolist(), answers[wrong].tolist(), strict=True):
        pairs[label, answer] = pairs.get((label, answer), 0) + 1
    of = {label: int(np.sum(y == label)) for label in {label for label, _ in pairs}}
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return tuple(Confusion(a, b, count, of[a]) for (a, b), count in ordered)


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
