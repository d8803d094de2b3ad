"""What is told of a run."""

import pytest

from quickstudy.experiments.run_report import RunReport, best_validation
from quickstudy.experiments.sections import Chart, Linked, Note, Section, Strong
from references.results import a_learner_result, a_policy_result

METRICS = [
    {"step": 1, "loss": 3.0, "seconds": 2.0},
    {"step": 2, "loss": 1.0, "validation_accuracy": 0.25, "validation_score": 0.25, "seconds": 2.5},
]


def a_report(**changes):
    values = {
        "run": "runs/a",
        "recipe": "maml-glyphs",
        "about": {"source": "Finn, https://a.org"},
        "settings": [("steps", 2, 2), ("meta_batch", 2, 4)],
        "environment": {"commit": "abc", "machine": {"processor": "a chip", "cores": 2}},
        "metrics": METRICS,
    }
    return RunReport(**{**values, **changes})


def titled(report):
    return {section.title: section.blocks for section in report.sections()}


def test_the_head_says_what_was_reached_and_where():
    (top, grid), rows = a_report().sections()[0].blocks, {}
    rows = dict(grid.rows)
    assert (top.text, top.command) == ("Not tested on unseen tasks yet. To test:",
                                       "quickstudy evaluate runs/a")  # fmt: skip
    assert rows["best in validation"] == "accuracy 25.00 % at step 2"
    assert rows["source"] == Linked("Finn, https://a.org")
    assert rows["trained for"] == "2.5 s"
    assert rows["machine"] == "a chip, 2 cores"
    assert (rows["commit"], rows["folder"]) == ("abc", "runs/a")
    result = a_learner_result()
    assert a_report(result=result).sections()[0].blocks[0] == result.headline


def test_what_is_unknown_is_unknown():
    rows = dict(a_report(environment={}, metrics=[]).sections()[0].blocks[1].rows)
    assert (rows["trained for"], rows["commit"]) == ("unknown", "unknown")
    assert "best in validation" not in rows


@pytest.mark.parametrize("result", [a_learner_result(), a_policy_result()])
def test_sections_are_in_this_order(result):
    pictures = [Section("One task", [])]
    report = a_report(result=result, others={"other": result}, pictures=pictures)
    first = result.sections()[0].title
    assert list(titled(report)) == ["maml-glyphs", first, "Other evaluations", "One task",
                                    "Training", "Settings", "Cost and machine"]  # fmt: skip


def test_a_run_tested_on_other_data_alone_shows_that():
    report = a_report(others={"test-on-omniglot": a_learner_result()})
    (table,) = titled(report)["Other evaluations"]
    assert [row[0] for row in table.rows] == ["test-on-omniglot"]


def test_an_unfinished_training_says_how_to_continue():
    *charts, said = titled(a_report(settings=[("steps", 4, 4)]))["Training"]
    assert charts
    assert all(isinstance(chart, Chart) for chart in charts)
    assert said == Note("Stopped at step 2 of 4. To continue:", "quickstudy train --resume runs/a")
    assert all(isinstance(block, Chart) for block in titled(a_report())["Training"])
    (said,) = titled(a_report(metrics=[]))["Training"]
    assert "metrics.jsonl is empty" in said.text


def test_changed_settings_stand_out():
    grid, said = titled(a_report())["Settings"]
    assert grid.rows == [("steps", "2", "2"), ("meta_batch", Strong("2"), "4")]
    assert said.text.startswith("Bold")
    _, said = titled(a_report(settings=[("steps", 2, 2)]))["Settings"]
    assert said.text.startswith("All settings")


def test_cost_leaves_compilation_out():
    """2 tasks in half a second."""
    rows = dict(titled(a_report())["Cost and machine"][0].rows)
    assert rows["a step after that, with validation"] == "0.5 s"
    assert rows["tasks per second"] == "4"
    assert rows["until step 1, with compilation"] == "2.0 s"
    assert rows["machine processor"] == "a chip"


def test_the_best_in_validation_has_the_best_score_and_not_the_largest_metric():
    lines = [{"step": k, "validation_score": -e, "validation_squared_error": e}
             for k, e in ((5, 2.0), (10, 0.5), (15, 3.0))]  # fmt: skip
    assert best_validation(lines) == [("best in validation", "squared error 0.5 at step 10")]
