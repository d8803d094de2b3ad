"""`quickstudy report` of a learner's run."""

import json
import re

import pytest
from quickstudy.recipes import find

from quickstudy.app.cli import main
from quickstudy.checkpoint import save_arrays
from quickstudy.evaluation.tasks import Estimate
from quickstudy.runs import Run
from references.reading_html import demand_self_contained
from references.refusing import stopped
from references.results import an_evaluation


@pytest.fixture(scope="module")
def glyphs(tmp_path_factory):
    """The folder of a run whose learner has learned nothing, and which stopped half-way."""
    folder = tmp_path_factory.mktemp("runs") / "a<b>&c"
    recipe = find("prototypical-glyphs")(steps=4, filters=2)
    run = Run.create(folder, recipe.to_json())
    run.log({"step": 1, "loss": 3.0, "accuracy": 0.1, "seconds": 2.0})
    validation = {"validation_accuracy": 0.25, "validation_score": 0.25}
    run.log({"step": 2, "loss": 1.0, "accuracy": 0.2, **validation, "seconds": 2.5})
    save_arrays(run.learner_file, recipe.learner(), recipe.to_json())
    return folder


def test_report_before_any_evaluation_says_how_to_make_one(glyphs, capsys):
    main(["report", str(glyphs), "--episodes", "4"])
    assert "report.html" in capsys.readouterr().out
    text = (glyphs / "report.html").read_text()
    demand_self_contained(text)
    assert "quickstudy evaluate" in text
    assert "Stopped at step 2 of 4" in text
    assert "accuracy 25.00 % at step 2" in text
    assert "0.5 s</td>" in text, "seconds per step"
    assert re.search(r"tasks per second, so</t.>\s*<td[^>]*>4<", text), "2 tasks in half a second"
    assert "a&lt;b&gt;&amp;c" in text
    assert "a<b>" not in text
    assert "<svg" in text
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text


def test_report_shows_the_evaluation_and_the_changed_settings(glyphs):
    evaluation = an_evaluation(path=(Estimate(0.2, 0.0), Estimate(0.9, 0.0123)))
    shots = {"shots": {"1": {"mean": 0.5, "interval": 0.1}}}
    file = glyphs / "evaluation-test.json"
    file.write_text(json.dumps({**evaluation.to_json(), **shots}))
    main(["report", str(glyphs), "--episodes", "4"])
    file.unlink()
    text = (glyphs / "report.html").read_text()
    for part in (
        "90.00 ± 1.23 %",
        "1,000 test tasks of glyphs, 5-way 1-shot",
        "yes: queries see each other",
        "inner steps",
        "support examples per class",
        "<b>4</b></td><td>2400",
    ):
        assert part in text


def test_what_cannot_be_reported(glyphs, tmp_path, capsys):
    said = stopped(["report", str(tmp_path / "nowhere")], capsys)
    assert "nowhere is not a run" in said
    said = stopped(["report", str(glyphs / "learner.safetensors")], capsys)
    assert "give the run's folder" in said
    (tmp_path / "recipe.json").write_text('{"recipe": "maml-glyphs"}')
    said = stopped(["report", str(tmp_path)], capsys)
    assert "--resume" in said
    assert "--episodes is 0" in stopped(["report", str(glyphs), "--episodes", "0"], capsys)
    file = glyphs / "evaluation-test.json"
    for damaged in ("{", "[]", '{"metric": 1}'):
        file.write_text(damaged)
        said = stopped(["report", str(glyphs)], capsys)
        assert "evaluation-test.json" in said
        assert "quickstudy evaluate" in said
    file.unlink()
