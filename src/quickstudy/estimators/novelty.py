"""None of these: how unlike the support set an input is, and from where on that is too much."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quickstudy.errors import BadInput
from quickstudy.estimators.heads.labelled import Rows, in_rows
from quickstudy.estimators.heads.scores import squared_distances

SHARE = 0.05
"""The share of known things that `unknown=True` may take for unknown."""


@dataclass(frozen=True, eq=False)
class NearestNovelty:
    """The distance to the nearest example, ‖r(x) − r(x_j)‖ (Sun et al., 2022,
    https://arxiv.org/abs/2204.06507), in the rows r of the head.

    Attributes:
        rows: what is done to each row of features before.
        known: r(x_j), `[n, d]`.
    """

    rows: Rows
    known: np.ndarray

    @classmethod
    def of(cls, rows: Rows, x: np.ndarray) -> "NearestNovelty":
        """Of the features `[n, d]` of a support set."""
        return cls(rows, in_rows(x, rows))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The novelty `[n]` of features `[n, d]`."""
        return np.sqrt(squared_distances(in_rows(x, self.rows), self.known).min(1))

    def held_out(self) -> np.ndarray:
        """That of each example among the others, `[n]`."""
        squares = squared_distances(self.known, self.known)
        # An example is not its own neighbour.
        np.fill_diagonal(squares, np.inf)
        return np.sqrt(squares.min(1))


def threshold(novelty: np.ndarray, share: float) -> float:
    """The novelty that at most a share of known things exceeds.

    The ⌈(n + 1)(1 − share)⌉-th smallest of n held-out ones: a new thing of a known class exceeds
    it with at most that probability if it is like the held-out ones (split conformal prediction,
    Vovk et al., 2005). Below 1 / share − 1 examples that is the largest.

    Raises:
        BadInput: no example could be held out.

    Example:
        >>> threshold(np.arange(100.0), share=0.05)
        95.0
    """
    if len(novelty) == 0:
        raise BadInput(
            "unknown needs a class with two examples or more: how far apart examples of one class "
            "are is measured on them. Give more examples, or unknown=False"
        )
    rank = int(np.ceil((len(novelty) + 1) * (1 - share)))
    return float(np.sort(novelty)[min(rank, len(novelty)) - 1])


def demand_share(unknown: Any) -> float | None:
    """The share that the setting `unknown` stands for, None for no unknowns.

    Raises:
        BadInput: it is no share.
    """
    if isinstance(unknown, np.generic):
        unknown = unknown.item()
    if unknown is False:
        return None
    if unknown is True:
        return SHARE
    if isinstance(unknown, int | float) and 0 < unknown < 1:
        return float(unknown)
    raise BadInput(
        f"unknown is {unknown!r}; give False, True, or the share of known things, between 0 and "
        f"1, that may be taken for unknown (True is {SHARE})"
    )
