"""Linear discriminant analysis with a shrunk covariance."""

from dataclasses import dataclass

import numpy as np

from quickstudy.estimators.heads.labelled import Labelled, Rows, View
from quickstudy.estimators.heads.scores import LinearScores


@dataclass(frozen=True)
class DiscriminantHead:
    """δ_k(x) = xᵀ Σ⁻¹ μ_k − ½ μ_kᵀ Σ⁻¹ μ_k, Σ = (1 − γ) S + γ (tr S / d) I.

    S is the pooled covariance within classes. All classes are taken as equally likely: how many
    photographs someone took of each says nothing about how often it will be met. Shrinkage towards
    the identity: Friedman (1989, https://doi.org/10.1080/01621459.1989.10478752).

    Attributes:
        shrinkage: γ, above 0 and at most 1; at 1, the nearest class mean.
        rows: what is done to each row of features before.
    """

    shrinkage: float
    rows: Rows = "plain"

    def fit(self, examples: Labelled) -> LinearScores:
        """Σ⁻¹ μ_k and the bias."""
        view = examples.view(self.rows)
        within, vectors, means = _spread(view, examples)
        a, b = self._parts(within.sum(), len(examples) - examples.ways, examples.x.shape[1])
        weight = means / (a * within + b)
        bias = -0.5 * np.einsum("kr,kr->k", weight, means)
        flat = view.right @ (vectors @ weight.T)
        return LinearScores(self.rows, flat, bias - view.mean @ flat)

    def held_out(self, examples: Labelled) -> np.ndarray:
        """The scores of each example from all the others, `[n, ways]`.

        Exact, by downdating: without x_i of class k, S loses c v vᵀ with v = x_i − μ_k and
        c = n_k / (n_k − 1), and μ_k moves by −v / (n_k − 1). Rows that are alone in their class
        are NaN.
        """
        view, y = examples.view(self.rows), examples.y
        within, vectors, means = _spread(view, examples)
        z, total = view.coordinates @ vectors, within.sum()
        scores = np.full((len(examples), examples.ways), np.nan)
        for i in np.flatnonzero(examples.judged):
            count = examples.counts[y[i]]
            v, factor = z[i] - means[y[i]], count / (count - 1)
            a, b = self._parts(
                max(total - factor * v @ v, 0.0),
                len(examples) - 1 - examples.ways,
                examples.x.shape[1],
            )
            others = means.copy()
            others[y[i]] -= v / (count - 1)
            inverse = 1 / (a * within + b)
            turned = v * inverse
            gain = a * factor / max(1 - a * factor * turned @ v, 1e-12)
            weight = others * inverse + gain * np.outer(others @ turned, turned)
            scores[i] = weight @ z[i] - 0.5 * np.einsum("kr,kr->k", weight, others)
        return scores

    def _parts(self, total: float, freedom: int, features: int) -> tuple[float, float]:
        """a and b of Σ = a S_w + b I, where S_w, of this trace, is not divided yet."""
        freedom = max(freedom, 1)
        # Where all examples of a class are alike S is 0, and Σ must be invertible all the same.
        flat = max(self.shrinkage * total / (freedom * features), 1e-150)
        return (1 - self.shrinkage) / freedom, flat


def _spread(view: View, examples: Labelled) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues and vectors of the scatter within classes S_w, and the means in that basis."""
    z = view.coordinates
    means = examples.class_means @ z
    apart = z - means[examples.y]
    within, vectors = np.linalg.eigh(apart.T @ apart)
    return np.maximum(within, 0.0), vectors, means @ vectors
