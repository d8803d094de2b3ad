"""Fitted heads, from features to one score per class: arrays, which a file can hold."""

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from quickstudy.estimators.heads.labelled import Rows, demand_rows, in_rows, unit_rows


@dataclass(frozen=True, eq=False)
class LinearScores:
    """x ↦ x W + b.

    Attributes:
        rows: what is done to each row of features before.
        weight: W, `[d, ways]`.
        bias: b, `[ways]`.
    """

    rows: Rows
    weight: np.ndarray
    bias: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The scores `[n, ways]` of features `[n, d]`, in float64."""
        return in_rows(x, self.rows) @ self.weight + self.bias


@dataclass(frozen=True, eq=False)
class CentroidScores:
    """x ↦ −‖z − c_k‖², z = (x − m) / ‖x − m‖.

    Attributes:
        rows: what is done to each row of features before.
        centre: m, `[d]`.
        centroids: c, `[ways, d]`.
    """

    rows: Rows
    centre: np.ndarray
    centroids: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The scores `[n, ways]` of features `[n, d]`, in float64; 0 is the best."""
        z = unit_rows(in_rows(x, self.rows) - self.centre)
        # Multiplied out, because the differences would be an array [n, ways, d].
        squares = np.einsum("kd,kd->k", self.centroids, self.centroids)
        lengths = np.einsum("nd,nd->n", z, z)  # 1, or 0 for what lies in the centre
        return 2 * z @ self.centroids.T - squares - lengths[:, None]


@dataclass(frozen=True, eq=False)
class KernelScores:
    """x ↦ Σ_j k(x, x_j) a_j + b with a Gaussian kernel k.

    Attributes:
        rows: what is done to each row of features before.
        known: x_j, `[n, d]`.
        width: w of k, `[]`.
        weight: a, `[n, outputs]`.
        bias: b, `[outputs]`.
    """

    rows: Rows
    known: np.ndarray
    width: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The outputs `[n, outputs]` of features `[n, d]`, in float64."""
        return gaussian(in_rows(x, self.rows), self.known, float(self.width)) @ self.weight + (
            self.bias
        )


Scores = LinearScores | CentroidScores | KernelScores


def squared_distances(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """‖x_i − z_j‖², `[n, m]`."""
    lengths = [np.einsum("nd,nd->n", a, a) for a in (x, z)]
    # Rounding may make the distance of two equal rows negative, and its root not-a-number.
    return np.maximum(lengths[0][:, None] + lengths[1] - 2 * x @ z.T, 0.0)


def gaussian(x: np.ndarray, z: np.ndarray, width: float) -> np.ndarray:
    """exp(−‖x_i − z_j‖² / 2w²), `[n, m]`."""
    return np.exp(-squared_distances(x, z) / (2 * width**2))


def scores_to(scores: Scores | None) -> tuple[dict[str, np.ndarray], dict[str, str] | None]:
    """The arrays of a fitted head, and what else it takes to rebuild it."""
    if scores is None:
        return {}, None
    parts = dict(vars(scores))
    return parts, {"kind": type(scores).__name__, "rows": parts.pop("rows")}


def scores_from(
    arrays: dict[str, np.ndarray], prefix: str, about: dict[str, Any] | None
) -> Scores | None:
    """The fitted head whose arrays are named `prefix.…`.

    Raises:
        KeyError: an array is missing, or the kind is unknown.
    """
    if about is None:
        return None
    kind = {one.__name__: one for one in get_args(Scores)}[about["kind"]]
    names = [name for name in kind.__dataclass_fields__ if name != "rows"]
    return kind(demand_rows(about["rows"]), *(arrays[f"{prefix}.{name}"] for name in names))
