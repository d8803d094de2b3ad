"""What a page or a figure shows, without how: values that a template or a plot draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

GREY = 6
"""The colour after the six that are told apart."""
MOST_MARKED = 25
"""The most points of a line that are each drawn with a dot and an interval."""


@dataclass(frozen=True)
class Strong:
    """The text of a cell that stands out."""

    text: str


@dataclass(frozen=True)
class Linked:
    """The text of a cell in which web addresses are links."""

    text: str


Cell = str | int | float | bool | None | Strong | Linked


@dataclass(frozen=True)
class Note:
    """A remark, and the command that it speaks of."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Headline:
    """The figure that counts, and what it is.

    Attributes:
        figure: as a person writes it, with its interval.
        said: what was measured, on which tasks of which data.
    """

    figure: str
    said: str


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of a row names it.

    Attributes:
        rows: cells.
        head: names of the columns, or none.
    """

    rows: Sequence[Sequence[Cell]]
    head: Sequence[str] = ()


@dataclass(frozen=True)
class Line:
    """One line of a chart, or a cloud of dots.

    Attributes:
        label: for the key.
        x: positions.
        y: heights; a line has a gap where one is not finite.
        bars: half the width of each height's interval, or none.
        style: how it is drawn; `marked` is a line with a dot at each value.
        colour: 0 … 5, or `GREY`.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    bars: Sequence[float] = ()
    style: Literal["line", "dashed", "dots", "marked"] = "line"
    colour: int = 0

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or len(self.bars) not in (0, len(self.y)):
            sizes = (len(self.x), len(self.y), len(self.bars))
            raise ValueError("x, y and bars of a line have {}, {} and {} values".format(*sizes))


@dataclass(frozen=True)
class Axis:
    """How one direction of a chart is drawn.

    Attributes:
        label: its name, with the unit.
        limits: its ends; `None` for those of what is drawn.
        log: whether equal ratios are equally far apart.
        names: of the positions 0, 1, 2 …, in the place of numbers.
        whole: whether only whole numbers are marked: nothing lies between two episodes.
    """

    label: str
    limits: tuple[float, float] | None = None
    log: bool = False
    names: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Chart:
    """Lines against two axes.

    Attributes:
        title: says what is seen, also to readers who do not see it.
        x: the horizontal axis.
        y: the vertical axis.
        lines: drawn in this order, the last on top.
    """

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]


@dataclass(frozen=True)
class Picture:
    """An image `[h, w, c]` in [0, 1]. One channel is ink on paper: 0 is drawn as paper."""

    pixels: np.ndarray
    alt: str


@dataclass(frozen=True)
class Answer:
    """A query's picture, its class and the class that it was taken for."""

    picture: Picture
    true: int
    taken: int


@dataclass(frozen=True)
class TaskImages:
    """One task of images.

    Attributes:
        rows: for each class, its support pictures and its answered queries.
        share: of all queries, the share that is right.
    """

    rows: Sequence[tuple[Sequence[Picture], Sequence[Answer]]]
    share: float


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes, and how often queries of one were taken for the other.

    Attributes:
        first: the number of the class whose queries were taken for `second` the more often.
        second: of the other.
        forth: queries of `first` that were taken for `second`.
        back: queries of `second` that were taken for `first`.
        met: queries of both in the tasks that held both.
        pictures: of either class; the alternative text is its name.
    """

    first: int
    second: int
    forth: int
    back: int
    met: int
    pictures: tuple[Picture, Picture]

    @property
    def count(self) -> int:
        """Confusions in both directions."""
        return self.forth + self.back


@dataclass(frozen=True)
class Confusions:
    """Pairs of classes, those most often confused first; of all queries, how many were wrong."""

    pairs: Sequence[ConfusedPair]
    wrong: int
    queries: int


@dataclass(frozen=True)
class PictureFile:
    """A GIF or a PNG that exists already, and what it shows."""

    path: Path
    alt: str


@dataclass(frozen=True)
class Photograph(Picture):
    """A picture in colour that a page may keep with a small loss."""


@dataclass(frozen=True)
class Shot:
    """A picture with words below it; `mark` says whether what they say is right, if that is
    known."""

    picture: Picture
    caption: str
    mark: Literal["", "right", "wrong"] = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side, below what they have in common."""

    shots: Sequence[Shot]
    title: str = ""


@dataclass(frozen=True)
class ConfusionMatrix:
    """How often each class got each answer.

    Attributes:
        names: of the classes and answers.
        pictures: an example of each; None where there is none.
        counts: of each class, a row, how often each answer was given.
    """

    names: Sequence[str]
    pictures: Sequence[Picture | None]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Folded:
    """A table that is shown when its title is pressed."""

    title: str
    grid: Grid


Block = (
    Note
    | Headline
    | Grid
    | Chart
    | TaskImages
    | Confusions
    | PictureFile
    | Gallery
    | ConfusionMatrix
    | Folded
)


@dataclass(frozen=True)
class Section:
    """A heading, and what is below it."""

    title: str
    blocks: Sequence[Block]
