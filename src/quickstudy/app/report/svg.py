"""Line charts as inline SVG. Colours come from the page's CSS, so they follow light and dark."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 50, 22, 10, 40
"""Margins around the plot, for the numbers and labels of the axes."""
SPILL = 5
"""How far marks may reach beyond the plot, so that a dot on its edge is whole."""

STYLE = """
.chart { margin: 0; min-width: 0 }
.chart svg { display: block; width: 100%; height: auto; font-size: 12px; fill: var(--soft) }
.chart .grid { stroke: var(--line); stroke-width: 1 }
.chart path { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round }
.chart .faint path { stroke-width: 1; opacity: .65 }
.chart .dashed path { stroke-dasharray: 5 4 }
.chart .bar path { stroke-width: 1.2 }
.chart circle { fill: var(--c) }
.chart figcaption b { display: block; color: var(--ink) }
.key { display: inline-block; margin-right: 1em; white-space: nowrap }
.key::before { content: ""; display: inline-block; width: 1.1em; border-top: 3px solid var(--c);
  margin-right: .4em; vertical-align: middle }
.key.dashed::before { border-top-style: dashed }
.key.dots::before { width: .6em; height: .6em; border: 0; border-radius: 50%; background: var(--c) }
.c0 { --c: var(--series-0) } .c1 { --c: var(--series-1) } .c2 { --c: var(--series-2) }
.c3 { --c: var(--series-3) } .c4 { --c: var(--soft) }
"""
"""What a page that shows charts must have in its style sheet, beside the variables --ink, --soft,
--line and --series-0 … --series-3."""


@dataclass(frozen=True)
class Series:
    """One line or cloud of dots.

    Attributes:
        label: for the key below the chart.
        x: positions.
        y: heights; a line has a gap where one is not finite.
        intervals: half the width of each height's interval, or none.
        style: how it is drawn; `marked` is a line with a dot at each value.
        colour: 0 … 3, or 4 for grey.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    intervals: Sequence[float] = ()
    style: Literal["line", "faint", "dashed", "dots", "marked"] = "line"
    colour: int = 0


@dataclass(frozen=True)
class Axis:
    """How one direction is drawn.

    Attributes:
        label: its name, with the unit.
        limits: its ends; `None` for those of what is drawn.
        log: whether equal ratios are equally far apart; everything drawn must be positive.
        names: of the positions 0, 1, 2 …, in the place of numbers.
        whole: whether there is nothing between whole numbers to be marked, as between episodes.
    """

    label: str
    limits: tuple[float, float] | None = None
    log: bool = False
    names: tuple[str, ...] | None = None
    whole: bool = False

    def place(self, value: float, limits: tuple[float, float]) -> float:
        """Where a value lies: 0 at the lower end, 1 at the upper."""
        low, high = limits
        if self.log:
            # What is not positive lies infinitely far down: far below the plot will do.
            return math.log(max(value, low * 1e-6) / low) / math.log(high / low)
        return (value - low) / (high - low)


def chart(series: Sequence[Series], x: Axis, y: Axis, title: str) -> str:
    """A figure with a drawing and a key; all text is escaped.

    Args:
        series: drawn in this order, the last on top.
        x: the horizontal axis.
        y: the vertical axis.
        title: says what is seen, also to those who do not see it.

    Example:
        >>> line = Series("a < b", (0, 1), (0.5, 2.0))
        >>> "a &lt; b" in chart([line], Axis("steps"), Axis("loss"), "Loss")
        True
    """
    across, up = _limits(x, series, "x"), _limits(y, series, "y")
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(px: float, py: float) -> tuple[float, float]:
        # Beyond the drawing one place is as good as another, and short to write.
        down = min(max(1 - y.place(py, up), -9.0), 9.0)
        return x.place(px, across) * width + SPILL, down * height + SPILL

    drawn = "".join(_drawn(one, at) for one in series)
    box = f'x="{LEFT - SPILL}" y="{TOP - SPILL}"'
    size = f'width="{width + 2 * SPILL}" height="{height + 2 * SPILL}"'
    keys = "".join(
        f'<span class="key {one.style} c{one.colour}">{escape(one.label)}</span>' for one in series
    )
    return (
        f'<figure class="chart"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{_across(x, across)}{_up(y, up)}'
        f'<svg {box} {size} overflow="hidden">{drawn}</svg></svg>'
        f"<figcaption><b>{escape(title)}</b>{keys}</figcaption></figure>"
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, between two ends.

    Example:
        >>> ticks(0, 1000)
        [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Powers of ten between two ends, or 1, 2 and 5 times them where that gives few.

    Example:
        >>> log_ticks(0.3, 40)
        [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    whole = [10.0**p for p in powers if low <= 10.0**p <= high]
    return fine if len(fine) <= most else whole[:: math.ceil(len(whole) / most)]


def _limits(axis: Axis, series: Sequence[Series], name: Literal["x", "y"]) -> tuple[float, float]:
    if axis.limits is not None:
        return axis.limits
    values = [v for one in series for v in getattr(one, name)]
    if name == "y":
        both = [p for one in series for p in zip(one.y, one.intervals, strict=False)]
        values += [v + sign * bar for v, bar in both for sign in (-1, 1)]
    finite = [float(v) for v in values if math.isfinite(v) and (v > 0 or not axis.log)]
    low, high = (min(finite), max(finite)) if finite else (1.0, 2.0)
    if axis.log:
        return (low / 1.2, high * 1.2)
    if name == "x":
        return (low, high) if high > low else (low - 0.5, high + 0.5)
    margin = 0.06 * (high - low) or 0.5
    return (low - margin if low < 0 or axis.log else max(low - margin, 0.0), high + margin)


def _drawn(one: Series, at: Callable[[float, float], tuple[float, float]]) -> str:
    points = [at(a, b) if math.isfinite(b) else None for a, b in zip(one.x, one.y, strict=True)]
    body = ""
    for a, b, bar in zip(one.x, one.y, one.intervals, strict=False):
        if math.isfinite(b) and math.isfinite(bar):
            (px, low), (_, high) = at(a, b - bar), at(a, b + bar)
            ends = f"M{px - 3:.1f} {low:.1f}h6M{px - 3:.1f} {high:.1f}h6"
            body += f'<g class="bar"><path d="M{px:.1f} {low:.1f}V{high:.1f}{ends}"/></g>'
    if one.style != "dots":
        body += f'<path d="{_line(points)}"/>'
    if one.style in ("dots", "marked"):
        found = [p for p in points if p is not None]
        body += "".join(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.2"/>' for px, py in found)
    return f'<g class="{one.style} c{one.colour}">{body}</g>'


def _line(points: list[tuple[float, float] | None]) -> str:
    parts, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        parts.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return "".join(parts)


def _across(axis: Axis, limits: tuple[float, float]) -> str:
    bottom, width = HEIGHT - BOTTOM, WIDTH - LEFT - RIGHT
    values = [v for v in ticks(*limits) if not axis.whole or v.is_integer()]
    marks = dict(enumerate(axis.names or ())) or {v: f"{v:,g}" for v in values}
    parts = [f'<path class="grid" style="--c: var(--line)" d="M{LEFT} {bottom}h{width}"/>']
    for value, name in marks.items():
        px = LEFT + axis.place(value, limits) * width
        where = f'x="{px:.1f}" y="{bottom + 16}" text-anchor="middle"'
        parts.append(f"<text {where}>{escape(name)}</text>")
    middle = LEFT + width / 2
    label = f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(axis.label)}</text>'
    return "".join(parts) + label


def _up(axis: Axis, limits: tuple[float, float]) -> str:
    height, parts = HEIGHT - TOP - BOTTOM, []
    for value in log_ticks(*limits) if axis.log else ticks(*limits):
        py = TOP + (1 - axis.place(value, limits)) * height
        line = f"M{LEFT} {py:.1f}H{WIDTH - RIGHT}"
        parts.append(f'<path class="grid" style="--c: var(--line)" d="{line}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{py + 4:.1f}" text-anchor="end">{value:,g}</text>')
    turn = f'transform="translate(11 {TOP + height / 2}) rotate(-90)"'
    return "".join(parts) + f'<text {turn} text-anchor="middle">{escape(axis.label)}</text>'
