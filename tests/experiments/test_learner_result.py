"""Tables and charts say what was measured, and on which data."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import ClassAccuracy
from quickstudy.experiments.learner_result import LearnerResult
from references.results import a_learner_result, an_evaluation

PATH = (Estimate(0.2, 0.0), Estimate(0.8, 0.1))
SHOTS = {5: Estimate(0.9, 0.1), 1: Estimate(0.8, 0.1)}


def shown(table, width=100):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


@pytest.mark.parametrize(
    ("transductive", "said"), [(True, "yes: queries see each other"), (False, "no: inductive")]
)
def test_the_table_says_what_was_measured(transductive, said):
    result = a_learner_result(an_evaluation(transductive=transductive), split="train")
    text = " ".join(shown(result.table()).split())
    for part in (said, "90.00 ± 1.23 %", "20.00 ± 0.00 %", "1,000",
                 "maml-glyphs on glyphs, 5-way 1-shot, train tasks"):  # fmt: skip
        assert part in text


def test_a_folder_is_never_cut_short():
    folder = Path("/data/scratch/experiments/of-this-year/prototypical-glyphs-20261124-040618")
    text = shown(a_learner_result().table(folder), width=60)
    cells = [line.split("│")[2].strip() for line in text.splitlines() if "│" in line]
    assert str(folder) in "".join(cells)


def test_brackets_in_a_name_are_no_markup():
    assert "[bold]mine[/bold]" in shown(a_learner_result(data="[bold]mine[/bold]").table())


@pytest.mark.parametrize("path", [(), PATH])
@pytest.mark.parametrize("shots", [{}, SHOTS])
def test_the_curve_of_adaptation_has_every_estimate(path, shots):
    result = a_learner_result(an_evaluation(path=path), shots)
    first, *second = result.charts()
    expected = path or (Estimate(0.2, 0.0), Estimate(0.9, 0.0123))
    (line,) = first.lines
    assert list(line.y) == pytest.approx([100 * e.mean for e in expected])
    assert list(line.bars) == pytest.approx([100 * e.interval for e in expected])
    assert first.x.label == ("inner steps" if path else "adaptation")
    assert [chart.x.names for chart in second] == ([("1", "5")] if shots else [])
    assert [list(chart.lines[0].y) for chart in second] == ([[80.0, 90.0]] if shots else [])


def test_the_headline_says_of_which_tasks():
    # They may be those of --split train: the figure does not say that they are new.
    headline = a_learner_result(split="train").headline
    assert headline.figure == "90.00 ± 1.23 %"
    assert "1,000 train tasks of glyphs, 5-way 1-shot" in headline.said


def test_other_results_stand_beside_with_their_data():
    grid = a_learner_result().compared({"twenty": a_learner_result(data="omniglot, 20-way 1-shot")})
    (row,) = grid.rows
    assert row == ("twenty", "90.00 ± 1.23 %", "omniglot, 20-way 1-shot", "1,000",
                   "yes: queries see each other")  # fmt: skip


def test_a_page_names_the_five_hardest_classes():
    found = an_evaluation(classes=tuple(ClassAccuracy(f"c{n}", n / 10, 3) for n in range(7)))
    _, hardest = a_learner_result(found).sections()
    note, grid = hardest.blocks
    assert "of 7; the evaluation" in note.text
    assert [row[0] for row in grid.rows] == ["c0", "c1", "c2", "c3", "c4"]
    assert grid.rows[1] == ("c1", "10.0 %", "3")
    assert len(a_learner_result().sections()) == 1


def test_the_table_has_the_calibration_error_of_classes_alone():
    assert "12.34 %" in shown(a_learner_result(an_evaluation(ece=0.1234)).table())
    assert "calibration" not in shown(a_learner_result().table())


def test_what_is_written_can_be_read():
    more = {"scores": (0.5, 1.0), "ece": 0.1, "classes": (ClassAccuracy("a", 0.5, 2),)}
    tasks = {"on": "glyphs", "settings": {"ways": 5}}
    found = an_evaluation(path=PATH, **more)
    result = a_learner_result(found, SHOTS, options={"episodes": 4}, tasks=tasks)
    assert LearnerResult.from_json(json.loads(json.dumps(result.to_json()))) == result
