"""Tables and figures say what was measured."""

import io
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from quickstudy.app.report import figures
from quickstudy.app.report.table import evaluation_table, written
from quickstudy.evaluation.tasks import Estimate, Evaluation
from quickstudy.learners.learner import Learner
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.sinusoid import Sinusoid
from quickstudy.tasks.task import Examples, Task
from quickstudy.tasks.varying import Varying


def an_evaluation(**changes):
    values = {
        "metric": "accuracy",
        "after": Estimate(0.9, 0.01),
        "before": Estimate(0.2, 0.0),
        "path": (),
        "episodes": 1000,
        "transductive": True,
    }
    return Evaluation(**{**values, **changes})


def shown(table, width=100):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


@pytest.mark.parametrize(
    ("transductive", "said"), [(True, "yes: queries see each other"), (False, "no: inductive")]
)
def test_table_says_what_was_measured(tmp_path, transductive, said):
    evaluation = an_evaluation(transductive=transductive)
    text = shown(evaluation_table(evaluation, Sinusoid(shots=7), "test", tmp_path))
    for part in (said, "90.00 ± 1.00 %", "20.00 ± 0.00 %", "1,000", "7 support points"):
        assert part in text


def test_sizes_that_vary_are_named(tmp_path):
    largest = Episodes(np.zeros((6, 5, 8, 8), np.uint8), ways=5, shots=4, queries=1)
    tasks = Varying(largest, ways=3, shots=2)
    text = shown(evaluation_table(an_evaluation(), tasks, "train", tmp_path))
    assert "3- to 5-way 2- to 4-shot, train tasks" in " ".join(text.split())


def test_a_folder_is_never_cut_short():
    folder = Path("/data/scratch/experiments/of-this-year/prototypical-glyphs-20261124-040618")
    text = shown(evaluation_table(an_evaluation(), Sinusoid(), "test", folder), width=60)
    cells = [line.split("│")[2].strip() for line in text.splitlines() if "│" in line]
    assert str(folder) in "".join(cells)


def test_errors_are_not_written_as_shares():
    assert written(Estimate(0.3512, 0.021), "squared_error") == "0.3512 ± 0.021"


@pytest.mark.parametrize("path", [(), (Estimate(0.2, 0.0), Estimate(0.8, 0.1))])
@pytest.mark.parametrize("shots", [{}, {1: Estimate(0.8, 0.1), 5: Estimate(0.9, 0.1)}])
def test_adaptation_curve_draws_every_estimate(path, shots):
    figure = figures.adaptation(an_evaluation(path=path), shots)
    assert len(figure.axes) == (2 if shots else 1)
    heights = figure.axes[0].lines[0].get_ydata(orig=False)
    expected = path or (Estimate(0.2, 0.0), Estimate(0.9, 0.01))
    np.testing.assert_allclose(heights, [100 * e.mean for e in expected])
    # The tasks may be those of --split train: the picture does not say that they are new.
    assert figure.get_suptitle().startswith("1,000 tasks, ")


class Reads(Learner):
    """Reads the class off the first pixel."""

    ways: int = eqx.field(static=True, default=3)

    def adapt(self, support, *, key=None):
        return lambda x: jax.nn.one_hot((x[:, 0, 0, 0] * 10).round().astype(int), self.ways)


def test_episode_marks_right_and_wrong(tmp_path):
    x = jax.numpy.zeros((6, 8, 8, 1)).at[:, 0, 0, 0].set(jax.numpy.arange(6) % 3 / 10)
    y = jax.numpy.arange(6) % 3
    wrong = y.at[0].set(1)
    figure = figures.episode(Reads(), Task(Examples(x, y, 3), Examples(x, wrong, 3)))
    marks = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert marks.count("✓") == 5
    assert [mark for mark in marks if "✗" in mark] == ["✗ 1"]
    figures.save(figure, tmp_path / "episode.png")
    assert imread(tmp_path / "episode.png").ndim == 3


def test_an_episode_shows_no_padding():
    """Of two classes one is present: one support image, and one query, which is right."""
    x = jax.numpy.full((4, 8, 8, 1), 0.1).at[:2].set(0.0)
    real, present = jax.numpy.array([True, False, False, False]), jax.numpy.array([True, False])
    padded = Examples(x, jax.numpy.array([0, 0, 1, 1]), 2, real, present)
    figure = figures.episode(Reads(2), Task(padded, padded))
    assert sum(bool(axis.images) for axis in figure.axes) == 2
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == ["✓"]
    assert "100% right" in figure.get_suptitle()
