"""What a classifier says of some images, all of it from one pass."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from quickstudy.estimators import labels
from quickstudy.estimators.scorecard import Scorecard


@dataclass(frozen=True, eq=False)
class Examined:
    """The answers of `FewShotClassifier.examine`, and what they rest on.

    Attributes:
        classes: the labels, sorted, `[ways]`.
        answers: the most probable class of each, or `unknown_label`, `[n]`.
        probabilities: of the classes, calibrated, `[n, ways]`.
        shown: what people are shown of each class, `[n, ways]`: the probabilities, or the scores
            from 0 to 1 of a learner that gives such.
        shown_as: which of them.
        pixels: the answers of nearest centroids on thumbnails, `[n]`; None for features.
        inputs: the features `[n, d]`, or a learner's images.
        unknown_label: the answer for what resembles no example; None without one.

    Example:
        >>> import quickstudy as qs
        >>> x, names = np.eye(2).repeat(3, 0), np.repeat(["cat", "dog"], 3)
        >>> seen = qs.FewShotClassifier().fit(x, names).examine(x[1:5])
        >>> seen.answers.tolist(), seen.shown_as
        (['cat', 'cat', 'dog', 'dog'], 'probability')
        >>> seen.against(np.array(["cat", "cat", "cat", "dog"])).accuracy.count
        3
    """

    classes: np.ndarray
    answers: np.ndarray
    probabilities: np.ndarray
    shown: np.ndarray
    shown_as: Literal["probability", "score"]
    pixels: np.ndarray | None
    inputs: np.ndarray
    unknown_label: Any = None

    @property
    def sureness(self) -> np.ndarray:
        """What is shown for the most probable class, from 0 to 1, `[n]`."""
        return self.shown.max(1)

    def only(self, which: np.ndarray) -> "Examined":
        """The same of some of the images.

        Args:
            which: bools `[n]`, or numbers.
        """
        names = ("answers", "probabilities", "shown", "inputs")
        rows: dict[str, Any] = {name: getattr(self, name)[which] for name in names}
        return replace(self, pixels=None if self.pixels is None else self.pixels[which], **rows)

    def expected(self, y: np.ndarray) -> np.ndarray:
        """The right answers for the labels `[n]`: `unknown_label`, if there is one, for those
        that are none of the classes."""
        y = labels.alike(y, self.classes)
        if self.unknown_label is None:
            return y
        return np.where(np.isin(y, self.classes), y, np.asarray(self.unknown_label))

    def against(self, y: np.ndarray) -> Scorecard:
        """The accuracy with its interval, that of a yardstick, and the confused pairs.

        Args:
            y: the labels `[n]`.
        """
        return Scorecard.of(
            self.expected(y),
            self.answers,
            given=self.probabilities,
            classes=self.classes,
            pixels=self.pixels,
        )
