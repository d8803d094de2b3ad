"""Ridge regression on one-hot labels, or on targets."""

from dataclasses import dataclass

import numpy as np

from quickstudy.estimators.heads.labelled import Labelled, Rows
from quickstudy.estimators.heads.scores import LinearScores


@dataclass(frozen=True)
class RidgeHead:
    """W = argmin ‖Y − 1 bᵀ − X W‖² + λ ‖W‖², the intercept b not penalised.

    The closed-form head of R2-D2 (Bertinetto et al., 2019, https://arxiv.org/abs/1805.08136).
    For classes, b is then moved so that all have the same score at the mean of the class means:
    how many photographs someone took of a class says nothing about how often it will be met, and
    without this an example that is left out is held against its own class, now the smallest.

    Attributes:
        penalty: λ, above 0.
        rows: what is done to each row of features before.
    """

    penalty: float
    rows: Rows = "plain"

    def fit(self, examples: Labelled) -> LinearScores:
        """W and b."""
        view, y = examples.view(self.rows), examples.onehot
        shrunk = view.singular / (view.singular**2 + self.penalty)
        weight = view.right @ (shrunk[:, None] * (view.left.T @ (y - y.mean(0))))
        if not examples.ways:
            return LinearScores(self.rows, weight, y.mean(0) - view.mean @ weight)
        middle = (examples.class_means @ view.x).mean(0)
        return LinearScores(self.rows, weight, 1 / examples.ways - middle @ weight)

    def held_out(self, examples: Labelled) -> np.ndarray:
        """The output for each example from all the others, `[n, outputs]`.

        Exact, by the hat matrix H of X and the intercept (Allen's PRESS): without example i the
        output at x_j is ŷ_j − h_ji (y_i − ŷ_i) / (1 − h_ii). Rows that are alone in their class
        are NaN.
        """
        view, y = examples.view(self.rows), examples.onehot
        left, mean = view.left, y.mean(0)
        shares = view.singular**2 / (view.singular**2 + self.penalty)
        fitted = mean + left @ (shares[:, None] * (left.T @ (y - mean)))
        own = 1 / len(y) + left**2 @ shares  # h_ii
        errors = (y - fitted) / np.maximum(1 - own, 1e-12)[:, None]
        outputs = y - errors
        if not examples.ways:
            return outputs
        to_means = 1 / len(y) + (examples.class_means @ left * shares) @ left.T
        moved = _middle(fitted, examples.class_means @ fitted, examples)
        moved -= _middle(own[:, None], to_means.T[:, :, None], examples) * errors
        outputs = outputs - moved + 1 / examples.ways
        return np.where(examples.judged[:, None], outputs, np.nan)


def _middle(values: np.ndarray, means: np.ndarray, examples: Labelled) -> np.ndarray:
    """The mean of the class means of some values, for each example without its own.

    Args:
        values: each example's own, `[n, c]`.
        means: of each class, with all its examples, `[ways, c]`, or `[n, ways, c]` where they
            differ from example to example.
        examples: the classes.
    """
    counts = examples.counts[examples.y][:, None]
    mine = means[np.arange(len(values)), examples.y] if means.ndim == 3 else means[examples.y]
    # The mean of the own class becomes (n_k mean − value) / (n_k − 1).
    return means.mean(-2) + (mine - values) / np.maximum(counts - 1, 1) / examples.ways
