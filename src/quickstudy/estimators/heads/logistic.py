"""Multinomial logistic regression."""

from dataclasses import dataclass

import numpy as np

from quickstudy.estimators.heads.labelled import Labelled, Rows
from quickstudy.estimators.heads.scores import LinearScores


@dataclass(frozen=True)
class LogisticHead:
    """W, b = argmin −Σ_i w_i log softmax(x_i W + b)_{y_i} + ½ λ ‖W‖², w_i = n / (N n_k).

    The weights make classes count alike, however many examples they have.

    Attributes:
        penalty: λ, above 0.
        rows: what is done to each row of features before.
    """

    penalty: float
    rows: Rows = "plain"

    def fit(self, examples: Labelled) -> LinearScores:
        """W and b, by scikit-learn, in the coordinates of the support set's own directions."""
        from sklearn.linear_model import LogisticRegression

        view = examples.view(self.rows)
        if view.singular.size == 0:  # all examples are alike
            even = np.zeros(examples.ways)
            return LinearScores(self.rows, np.zeros((examples.x.shape[1], examples.ways)), even)
        # Scaled so that L-BFGS meets numbers of order 1; the penalty is scaled with them.
        unit = np.sqrt(view.scale)
        # For two classes scikit-learn has one logit w, where ‖W‖² = ‖w‖² / 2.
        strength = unit**2 / self.penalty * (2 if examples.ways == 2 else 1)
        model = LogisticRegression(C=strength, class_weight="balanced", tol=1e-6, max_iter=1000)
        model.fit(view.coordinates / unit, examples.y)
        weight, bias = np.asarray(model.coef_).T / unit, model.intercept_
        if examples.ways == 2:
            half = np.array([-0.5, 0.5])
            weight, bias = weight * half, bias * half
        flat = view.right @ weight
        return LinearScores(self.rows, flat, bias - view.mean @ flat)
