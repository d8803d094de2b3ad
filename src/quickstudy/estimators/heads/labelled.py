"""A labelled set of features, and what its heads compute from it once and share."""

from functools import cached_property
from typing import Literal, get_args

import numpy as np

Rows = Literal["plain", "unit", "root"]
"""What is done to each row of features by itself: nothing; scaled to length 1; the signed square
root of each number, then scaled to length 1."""

TINY = float(np.finfo(np.float64).tiny)


ROWS: tuple[Rows, ...] = get_args(Rows)


def demand_rows(name: str) -> Rows:
    """The name, if it is one of `Rows`.

    Raises:
        ValueError: it is not.
    """
    for rows in ROWS:
        if rows == name:
            return rows
    raise ValueError(f"rows are {name!r}; expected one of {ROWS}")


def in_rows(x: np.ndarray, rows: Rows) -> np.ndarray:
    """Features in float64, each row changed by itself.

    Args:
        x: `[n, d]`.
        rows: `plain` leaves them; `unit` gives x / ‖x‖; `root` takes sign(x) √|x| first, which
            evens out the few large features of a network that ends in a ReLU.

    Example:
        >>> in_rows(np.array([[9.0, 16.0]]), "unit").round(2).tolist()
        [[0.49, 0.87]]
        >>> in_rows(np.array([[9.0, 16.0]]), "root").tolist()
        [[0.6, 0.8]]
    """
    x = np.asarray(x, np.float64)
    if rows == "plain":
        return x
    return unit_rows(np.sign(x) * np.sqrt(np.abs(x)) if rows == "root" else x)


def unit_rows(x: np.ndarray) -> np.ndarray:
    """x / ‖x‖ for each row; a row of zeros stays."""
    # Divided by the largest number first: the square of a tiny or a huge one is 0 or infinite.
    top = np.abs(x).max(-1, keepdims=True, initial=0.0)
    x = x / np.where(top > TINY, top, 1.0)
    length = np.sqrt(np.einsum("...d,...d->...", x, x))[..., None]
    return x / np.where(length > 0, length, 1.0)


class Labelled:
    """Features with class numbers, for heads to fit on.

    Args:
        x: `[n, d]`.
        y: class numbers `[n]`, or targets `[n, t]`.
        ways: N, the number of classes; 0 for targets.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, ways: int):
        self.x, self.y, self.ways = x, y, ways
        self._views: dict[Rows, View] = {}

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def counts(self) -> np.ndarray:
        """How many examples each class has, `[ways]`."""
        return np.bincount(self.y, minlength=self.ways)

    @cached_property
    def judged(self) -> np.ndarray:
        """Whether an example can be left out: its class has another, `[n]`."""
        return self.counts[self.y] > 1

    @cached_property
    def onehot(self) -> np.ndarray:
        """1 where an example belongs to a class, `[n, ways]`; or the targets."""
        return np.eye(self.ways)[self.y] if self.ways else np.asarray(self.y, np.float64)

    @cached_property
    def class_means(self) -> np.ndarray:
        """What makes class means of values `[n, ...]`: 1 / n_k where example i is of class k,
        `[ways, n]`."""
        return self.onehot.T / self.counts[:, None]

    def view(self, rows: Rows) -> "View":
        """The features in these rows; made once."""
        if rows not in self._views:
            self._views[rows] = View(in_rows(self.x, rows))
        return self._views[rows]

    def only(self, keep: np.ndarray) -> "Labelled":
        """Some of the examples, of as many classes."""
        return Labelled(self.x[keep], self.y[keep], self.ways)


class View:
    """Features X `[n, d]`, centred, and their singular value decomposition, made when asked for.

    X − 1 mᵀ = U S Vᵀ: a head whose penalty treats all directions alike needs only Z = U S, of at
    most n columns, and finds W = V w = Xᵀ a.
    """

    def __init__(self, x: np.ndarray):
        self.x = x

    @cached_property
    def mean(self) -> np.ndarray:
        """m, `[d]`."""
        return self.x.mean(0)

    @cached_property
    def centred(self) -> np.ndarray:
        """X − 1 mᵀ."""
        return self.x - self.mean

    @cached_property
    def gram(self) -> np.ndarray:
        """X Xᵀ of the features as they are, `[n, n]`."""
        return self.x @ self.x.T

    @cached_property
    def scale(self) -> float:
        """The mean squared length of the centred rows; penalties are shares of it."""
        # Not 0 where all rows are equal: a share of it would be no penalty at all.
        return max(float(np.einsum("nd,nd->", self.centred, self.centred)) / len(self.x), TINY)

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return decomposed(self.centred)

    @property
    def left(self) -> np.ndarray:
        """U, `[n, r]`."""
        return self._parts[0]

    @property
    def singular(self) -> np.ndarray:
        """S, `[r]`, all above 0."""
        return self._parts[1]

    @property
    def right(self) -> np.ndarray:
        """V, `[d, r]`."""
        return self._parts[2]

    @cached_property
    def coordinates(self) -> np.ndarray:
        """Z = U S, `[n, r]`."""
        return self.left * self.singular


def decomposed(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U `[n, r]`, S `[r]`, V `[d, r]`, without the directions in which nothing varies.

    By the eigenvalues of the smaller of X Xᵀ and Xᵀ X, which is several times faster than the
    decomposition of X. It loses singular values below √ε of the largest, which a penalty hides.
    """
    tall = len(x) > x.shape[1]
    squares, vectors = np.linalg.eigh(x.T @ x if tall else x @ x.T)
    # What `eigh` finds below this share of the largest is its rounding.
    kept = squares > max(squares.max(initial=0.0) * 1e-13, TINY)
    # `eigh` sorts upwards, and singular values are sorted downwards.
    singular, vectors = np.sqrt(squares[kept])[::-1], vectors[:, kept][:, ::-1]
    if tall:
        return x @ vectors / singular, singular, vectors
    return vectors, singular, x.T @ vectors / singular
