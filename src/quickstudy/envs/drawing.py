"""Grids as text, and that text as pictures: one character is one cell in both."""

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import UInt8

from quickstudy.errors import BadInput

PIXELS = 16  # a cell's side
PAPER = (244, 241, 234)
LINE = (226, 221, 210)

Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]
Colour = tuple[int, int, int]


class Drawing(NamedTuple):
    """How a character is painted.

    Attributes:
        colour: red, green and blue, 0 … 255.
        shape: which points of the cell have it, by x and y in −1 … 1, y downwards.
    """

    colour: Colour
    shape: Shape


def _all(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.ones_like(x, bool)


def _disc(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x * x + y * y < 0.6


def _ring(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x * x + y * y < 0.7) & (x * x + y * y > 0.25)


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(abs(x), abs(y)) < 0.7


def _frame(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _square(x, y) & (np.maximum(abs(x), abs(y)) > 0.4)


def _diamond(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return abs(x) + abs(y) < 0.9


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (y < 0.7) & (abs(x) < (y + 0.8) / 2)


def _funnel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _triangle(x, -y)


def _cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (np.minimum(abs(x), abs(y)) < 0.25) & (np.maximum(abs(x), abs(y)) < 0.8)


def _hourglass(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (abs(x) < abs(y) + 0.1) & (abs(y) < 0.75)


def _bars(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _square(x, y) & (abs(x) > 0.2)


LOOKS = {
    ".": Drawing(PAPER, _all),
    " ": Drawing((255, 255, 255), _all),
    "#": Drawing((74, 78, 90), _all),
    "@": Drawing((33, 102, 172), _disc),
    "G": Drawing((46, 139, 87), _square),
    # What a game's symbols look like says nothing about what they do.
    "a": Drawing((214, 96, 77), _diamond),
    "b": Drawing((118, 42, 131), _ring),
    "c": Drawing((224, 130, 20), _triangle),
    "d": Drawing((1, 133, 113), _square),
    "e": Drawing((197, 27, 125), _cross),
    "f": Drawing((128, 115, 172), _hourglass),
    "g": Drawing((140, 81, 10), _frame),
    "h": Drawing((77, 146, 33), _bars),
    "i": Drawing((53, 151, 143), _funnel),
}


def frame(rows: Sequence[str]) -> UInt8[np.ndarray, "height width 3"]:
    """Paint rows of characters, 16 × 16 pixels each.

    Args:
        rows: of the same length, in characters that `LOOKS` knows.

    Raises:
        BadInput: rows of different lengths, or an unknown character.

    Example:
        >>> frame(["##", "@G"]).shape
        (32, 32, 3)
    """
    if len({len(row) for row in rows}) != 1:
        raise BadInput(f"rows have {[len(row) for row in rows]} characters; give equally many")
    unknown = set("".join(rows)) - set(LOOKS)
    if unknown:
        raise BadInput(f"cannot paint {sorted(unknown)}; the known characters are {[*LOOKS]}")
    return np.concatenate([np.concatenate([_cell(c) for c in row], 1) for row in rows])


def _cell(character: str) -> UInt8[np.ndarray, "pixels pixels 3"]:
    cell = np.full((PIXELS, PIXELS, 3), PAPER, np.uint8)
    # Two sides are enough: the neighbours draw the others.
    cell[-1], cell[:, -1] = LINE, LINE
    centres = (2 * np.arange(PIXELS) + 1) / PIXELS - 1
    y, x = np.meshgrid(centres, centres, indexing="ij")
    look = LOOKS[character]
    # An empty cell keeps its lines, which a shape that fills it would cover.
    if character != ".":
        cell[look.shape(x, y)] = look.colour
    return cell


class Drawn(eqx.Module):
    """An environment that can be looked at. Nothing here is compiled, or takes a batch."""

    @abc.abstractmethod
    def rows(self, state: Any, task: Any) -> list[str]:
        """What is where, the top row first, in characters of `LOOKS`."""

    def render(self, state: Any, task: Any) -> str:
        """The rows as one text."""
        return "\n".join(self.rows(state, task))

    def frame(self, state: Any, task: Any) -> UInt8[np.ndarray, "height width 3"]:
        """The rows as a picture, 16 × 16 pixels a cell."""
        return frame(self.rows(state, task))
