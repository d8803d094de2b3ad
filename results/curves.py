"""Draw the validation curves of all runs in a folder, side by side, as one picture.

    python results/curves.py runs/omniglot results/omniglot-curves.png

One panel per run: validation against training steps, and the training metric behind it in a paler
line. With `--papers`, the 5-way or 20-way 1-shot figure of each learner's paper is a dashed line.
"""

import argparse
import math
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from papers import of_run

from quickstudy.experiments.training_curves import metric_of, thinned
from quickstudy.runs import Run

COLUMNS = 6
MOST = 60  # points of a training curve
INK, PALE, ACCENT = "#1f4e79", "#b9c7d6", "#b04a2f"


def panel(axes: Axes, run: Path, beside: float | None) -> None:
    """One run."""
    metrics = Run.open(run).metrics()
    metric = metric_of(metrics)
    scale = 100 if metric == "accuracy" else 1
    axes.plot(*_scaled(thinned(metrics, metric, MOST), scale), color=PALE, linewidth=1)
    tested = thinned(metrics, f"validation_{metric}", most=len(metrics))
    axes.plot(*_scaled(tested, scale), color=INK, linewidth=1.2, marker=".", markersize=3)
    if beside is not None:
        axes.axhline(beside, color=ACCENT, linewidth=1, linestyle="--")
    axes.set_title(run.name, fontsize=8)
    axes.tick_params(labelsize=6)
    axes.margins(x=0.02)


def _scaled(curve: tuple[list[int], list[float]], scale: float) -> tuple[list[int], list[float]]:
    return curve[0], [scale * value for value in curve[1]]


def main() -> None:
    """Parse, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--papers", action="store_true")
    options = parser.parse_args()
    runs = sorted(run for run in options.runs.iterdir() if (run / "metrics.jsonl").exists())
    columns = min(COLUMNS, len(runs))
    rows = math.ceil(len(runs) / columns)
    figure = Figure(figsize=(2 * columns, 1.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, run in zip(grid.flat, runs, strict=False):
        shape = 2 if run.name.endswith("-20-way") else 0
        panel(axes, run, of_run(run.name)[shape] if options.papers else None)
    for axes in grid.flat[len(runs) :]:
        axes.set_visible(False)
    figure.supxlabel("training steps", fontsize=8)
    figure.savefig(options.picture, dpi=110)


if __name__ == "__main__":
    main()
