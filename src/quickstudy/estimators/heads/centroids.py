"""Nearest class centroids of centred features of length 1."""

from dataclasses import dataclass

import numpy as np

from quickstudy.estimators.heads.labelled import Labelled, Rows, unit_rows
from quickstudy.estimators.heads.scores import CentroidScores


@dataclass(frozen=True)
class CentroidHead:
    """SimpleShot's CL2N (Wang et al., 2019, https://arxiv.org/abs/1911.04623).

    z = (x − m) / ‖x − m‖ with m the mean of the class means of the support set; a class is the
    mean c_k of its z, and its score −‖z − c_k‖². The authors take m from the base classes, which
    are not at hand here.

    Attributes:
        rows: what is done to each row of features before.
    """

    rows: Rows = "plain"

    def fit(self, examples: Labelled) -> CentroidScores:
        """The centre and the centroids."""
        x = examples.view(self.rows).x
        centre = (examples.class_means @ x).mean(0)
        centroids = examples.class_means @ unit_rows(x - centre)
        return CentroidScores(self.rows, centre, centroids)

    def held_out(self, examples: Labelled) -> np.ndarray:
        """The score of each example from all the others, `[n, ways]`.

        Exact: leaving x_i out moves the centre and so every z. From X Xᵀ alone that costs
        O(n² / N) an example, as only products within a class and with x_i are needed. Rows that
        are alone in their class are NaN.
        """
        gram, y = examples.view(self.rows).gram, examples.y
        members = [np.flatnonzero(y == k) for k in range(examples.ways)]
        weights = 1 / (examples.ways * examples.counts[y])
        products = gram @ np.stack([weights * (y == k) for k in range(examples.ways)], 1)
        scores = np.full((len(examples), examples.ways), np.nan)
        for i in np.flatnonzero(examples.judged):
            scores[i] = _without(int(i), gram, y, members, products)
        return scores


def _without(
    i: int, gram: np.ndarray, y: np.ndarray, members: list[np.ndarray], products: np.ndarray
) -> np.ndarray:
    """The scores of example i, `[ways]`, where the centre m and the centroids have not seen it.

    Args:
        i: which.
        gram: X Xᵀ, `[n, n]`.
        y: class numbers.
        members: the examples of each class.
        products: X · (the part of m that is of class k), `[n, ways]`.
    """
    own, ways = y[i], len(members)
    count = len(members[own])
    # m' = m + (part of the own class) / (n_k − 1) − x_i / (N (n_k − 1)), as weights of examples.
    with_centre = products.sum(1) + products[:, own] / (count - 1)
    with_centre -= gram[:, i] / (ways * (count - 1))
    weights = 1 / (ways * np.array([len(one) for one in members])[y])
    weights[members[own]] = 1 / (ways * (count - 1))
    weights[i] = 0
    square = float(weights @ with_centre)
    lengths = np.sqrt(np.maximum(gram.diagonal() - 2 * with_centre + square, 0.0))
    # A row at the centre has no direction: rounding must not give it one. It stays 0.
    seen = lengths > 1e-9 * np.sqrt(gram.diagonal().max())
    inverse = np.where(seen, 1 / np.maximum(lengths, 1e-300), 0.0)
    scores = np.empty(ways)
    for k, all_members in enumerate(members):
        of = all_members[all_members != i]
        to_class = (gram[i, of] - with_centre[i] - with_centre[of] + square) @ inverse[of]
        inner = gram[np.ix_(of, of)] - with_centre[of, None] - with_centre[None, of] + square
        norm = inverse[of] @ inner @ inverse[of] / len(of) ** 2
        scores[k] = 2 * to_class * inverse[i] / len(of) - norm - float(inverse[i] > 0)
    return scores
