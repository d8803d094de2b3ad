"""Kernel ridge regression with a Gaussian kernel."""

from dataclasses import dataclass

import numpy as np

from quickstudy.estimators.heads.labelled import Labelled, Rows
from quickstudy.estimators.heads.scores import KernelScores, gaussian


@dataclass(frozen=True)
class KernelHead:
    """Ridge regression on the features of k(x, x') = exp(−‖x − x'‖² / 2w²), with an intercept.

    The mean of a Gaussian process with the noise λ (Rasmussen & Williams, 2006, eq. 2.25).

    Attributes:
        penalty: λ, above 0.
        width: w, in the unit of the features.
        rows: what is done to each row of features before.
    """

    penalty: float
    width: float
    rows: Rows = "plain"

    def fit(self, examples: Labelled) -> KernelScores:
        """One weight per example, which sum to 0, and the intercept."""
        x, y = examples.view(self.rows).x, examples.onehot
        kernel = gaussian(x, x, self.width)
        values, vectors = self._parts(kernel)
        weight = vectors @ ((vectors.T @ (y - y.mean(0))) / (values + self.penalty)[:, None])
        weight -= weight.mean(0)
        bias = y.mean(0) - kernel.mean(0) @ weight
        return KernelScores(self.rows, x, np.array(self.width), weight, bias)

    def held_out(self, examples: Labelled) -> np.ndarray:
        """The output for each example from all the others, `[n, t]`; exact, as for ridge."""
        x, y = examples.view(self.rows).x, examples.onehot
        values, vectors = self._parts(gaussian(x, x, self.width))
        shares = values / (values + self.penalty)
        fitted = y.mean(0) + vectors @ (shares[:, None] * (vectors.T @ (y - y.mean(0))))
        leverage = 1 / len(y) + vectors**2 @ shares
        return y - (y - fitted) / np.maximum(1 - leverage, 1e-12)[:, None]

    def _parts(self, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues and vectors of the kernel, centred: the intercept is not penalised."""
        centred = kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
        # Made symmetric: `eigh` reads one triangle, and rounding makes the two differ.
        values, vectors = np.linalg.eigh((centred + centred.T) / 2)
        return np.maximum(values, 0.0), vectors
