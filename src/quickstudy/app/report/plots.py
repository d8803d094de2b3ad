"""Charts and tasks drawn by matplotlib: as a PNG for a file, as inline SVG for a page."""

import io
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from quickstudy.experiments.pictures.watch import save_png
from quickstudy.experiments.sections import Axis, Chart, Line, Picture, TaskImages

COLOURS = {
    "#1f4e9c": "--series-0",
    "#b8560b": "--series-1",
    "#187a5b": "--series-2",
    "#8a3ab0": "--series-3",
    "#0b7285": "--series-4",
    "#b02a72": "--series-5",
    "#5b6470": "--soft",
    "#dde2e8": "--line",
}
"""On white paper, and the variables of style.css that a page draws in their place."""
*SERIES, FAINT = COLOURS
SOFT = SERIES[-1]
RIGHT, WRONG = "#1a7f37", "#c62828"
WIDTH, HEIGHT, FONT = 400, 250, 12
"""Of a chart, in the pixels of a page; a file has 120 dots where a page has 72."""
COLUMNS = 3
"""Of a file's key."""
MOST_CLASSES = 8
"""The most rows of a task's picture."""


def draw(axes: Any, chart: Chart) -> list[Any]:
    """Draw a chart, without its title and key, which a page and a file place otherwise; gives what
    stands for each line in a key."""
    drawn = [_draw_line(axes, line) for line in chart.lines]
    _draw_axis(axes, "x", chart.x)
    _draw_axis(axes, "y", chart.y)
    axes.grid(axis="y", color=FAINT, linewidth=1)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(length=0, labelsize=FONT, labelcolor=SOFT)
    return drawn


def _draw_line(axes: Any, line: Line) -> Any:
    colour = SERIES[line.colour]
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    y = np.where(np.isfinite(y), y, np.nan)
    shape = {"linestyle": {"dashed": (0, (3, 2)), "dots": ""}.get(line.style, "-")}
    if line.style in ("dots", "marked"):
        shape |= {"marker": "o", "markersize": 6}
    (drawn,) = axes.plot(x, y, color=colour, linewidth=2, solid_joinstyle="round", **shape)
    if len(line.bars):
        bars = np.asarray(line.bars, float)
        known = np.isfinite(bars) & np.isfinite(y)
        shape = {"fmt": "none", "color": colour, "capsize": 3, "elinewidth": 1.2}
        axes.errorbar(x[known], y[known], bars[known], **shape)
    return drawn


def _draw_axis(axes: Any, name: str, axis: Axis) -> None:
    side = getattr(axes, f"{name}axis")
    side.set_label_text(drawable(axis.label), parse_math=False, fontsize=FONT, color=SOFT)
    if axis.log:
        axes.set(**{f"{name}scale": "log"})
        side.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=7))
        side.set_minor_locator(NullLocator())
    elif axis.names:
        side.set_ticks(range(len(axis.names)), map(drawable, axis.names), parse_math=False)
    else:
        side.set_major_locator(MaxNLocator(6, integer=axis.whole, steps=[1, 2, 5, 10]))
    if not axis.names:
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    if axis.limits is not None:
        low, high = axis.limits
        margin = 0.02 * (high - low)  # a dot at the end is whole
        axes.set(**{f"{name}lim": (low - margin, high + margin)})


def drawable(text: str) -> str:
    r"""A text with escapes for what has no letter: bytes of a folder's name that are no UTF-8.

    Example:
        >>> drawable("Vögel"), drawable("V\udcf6gel")
        ('Vögel', 'V\\udcf6gel')
    """
    return text.encode(errors="backslashreplace").decode()


def charts_figure(charts: Sequence[Chart], title: str) -> Figure:
    """Charts side by side, with keys, for a file.

    Args:
        charts: at least one.
        title: names the data and how many tasks.
    """
    rows = max(-(-len(chart.lines) // COLUMNS) for chart in charts)
    size = (WIDTH * len(charts) / 72, (HEIGHT + 75 + 16 * rows) / 72)
    # `Figure` alone, here and below, for the figures of pyplot are global state.
    figure = Figure(figsize=size, layout="constrained")
    for axes, chart in zip(figure.subplots(1, len(charts), squeeze=False)[0], charts, strict=True):
        handles = draw(axes, chart)
        # A name may hold dollar signs, which would be read as a formula.
        axes.set_title(drawable(chart.title), fontsize=FONT, parse_math=False)
        # A label that begins with "_" would be left out.
        labels = [f" {drawable(line.label)}" for line in chart.lines]
        place: Any = {"loc": "upper left", "bbox_to_anchor": (-0.1, -0.17), "ncols": COLUMNS}
        key = axes.legend(handles, labels, fontsize=9, frameon=False, **place)
        for text in key.get_texts():
            text.set_parse_math(False)
    said = textwrap.fill(drawable(title), 60 * len(charts))
    figure.suptitle(said, fontsize=10, parse_math=False)
    return figure


def save_charts(charts: Sequence[Chart], title: str, path: Path) -> Path:
    """Write charts side by side as a PNG, whole or not at all."""
    return save_png(charts_figure(charts, title), path)


def inline_svg(chart: Chart, number: int) -> Markup:
    """A chart as an element of a page, whose colours are the variables of style.css.

    Args:
        chart: what to draw.
        number: of the chart on its page: what it defines has names of its own.

    Example:
        >>> line = Line("a", (0, 1), (0.5, 2.0))
        >>> inline_svg(Chart("a < b", Axis("x"), Axis("y"), [line]), 0)[:38]
        Markup('<svg role="img" aria-label="a &lt; b" ')
    """
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), layout="constrained")
    figure.patch.set_visible(False)
    draw(axes := figure.subplots(), chart)
    axes.patch.set_visible(False)
    FigureCanvasSVG(figure)
    drawn = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    # A salt of its own: names are random otherwise, and differ each time that a page is written.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": str(number)}):
        figure.savefig(drawn, format="svg", metadata=nothing)
    return Markup(_for_page(drawn.getvalue(), chart.title))


def _for_page(svg: str, title: str) -> str:
    """An SVG file as a piece of a page, in its colours and font, and rounded."""
    body = svg[svg.index("<defs>", svg.index("<svg")) : svg.rindex("</svg>")]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)  # each text, once more
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # numbered alike in every chart
    body = re.sub(r"<[^>]*>", lambda tag: _tag(tag[0]), body)
    body = re.sub(r">\s+<", "><", body).replace("<g/>", "")
    named = f'role="img" aria-label="{escape(title)}"'
    return f'<svg {named} viewBox="0 0 {WIDTH} {HEIGHT}">{body}</svg>'


def _tag(tag: str) -> str:
    """One tag: what stands between tags is text of a user's."""
    for colour, variable in COLOURS.items():
        tag = tag.replace(colour, f"var({variable})")
    tag = re.sub(r" font-family: [^;]*;| transform=\"rotate\(-0 [^\"]*\"", "", tag)
    tag = re.sub(r"(\.\d\d)\d+", r"\1", tag)
    return re.sub(r"\s+", " ", tag)


def task_figure(task: TaskImages) -> Figure:
    """A row per class: its support on the left, its queries with ✓ or ✗ on the right."""
    rows = task.rows[:MOST_CLASSES]
    wide, asked = (max(len(row[side]) for row in rows) for side in (0, 1))
    size = (0.9 * (wide + asked) + 1.4, 0.95 * len(rows) + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    widths = [1.0] * wide + [0.25] + [1.0] * asked
    grid: Any = {"width_ratios": widths}
    axes = figure.subplots(len(rows), len(widths), squeeze=False, gridspec_kw=grid)
    for axis in axes.flat:
        axis.axis("off")
    for c, (support, answers) in enumerate(rows):
        for axis, picture in zip(axes[c], support, strict=False):
            _show(axis, picture)
        for axis, answer in zip(axes[c, wide + 1 :], answers, strict=False):
            _show(axis, answer.picture)
            right = answer.taken == answer.true
            mark = "✓" if right else f"✗ {answer.taken + 1}"
            axis.set_title(mark, color=RIGHT if right else WRONG, fontsize=10, pad=2)
        place: Any = {"transform": axes[c, 0].transAxes, "va": "center", "ha": "right"}
        axes[c, 0].text(-0.15, 0.5, str(c + 1), **place)
    figure.suptitle(f"support | queries: {task.share:.0%} right (✗ n: taken for class n)",
                    fontsize=10)  # fmt: skip
    return figure


def on_paper(picture: Picture) -> np.ndarray:
    """The bytes that are shown: drawings `[h, w, 1]`, whose ink is 1, dark on light."""
    levels = np.round(255 * np.clip(picture.pixels, 0, 1)).astype(np.uint8)
    return 255 - levels[..., 0] if levels.shape[-1] == 1 else levels


def _show(axis: Any, picture: Picture) -> None:
    pixels = on_paper(picture)
    axis.imshow(pixels, cmap="gray" if pixels.ndim == 2 else None, vmin=0, vmax=255)
