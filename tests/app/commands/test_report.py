"""`quickstudy report`: one page that is whole, and tells on which data figures were measured."""

import base64
import dataclasses
import json
import re
import shutil

import pytest

from quickstudy.app.cli import main
from quickstudy.checkpoint import save_arrays
from quickstudy.evaluation.estimates import Estimate
from quickstudy.experiments.metrics import written
from quickstudy.experiments.saved import export, load_recipe
from quickstudy.runs import Run
from references.reading_html import demand_self_contained
from references.recipes import typed, untrained
from references.refusing import stopped
from references.results import an_evaluation


@pytest.fixture(scope="module")
def glyphs(tmp_path_factory):
    """The folder of a run whose learner has learned nothing, and which stopped half-way."""
    folder = tmp_path_factory.mktemp("runs") / "a<b>&c"
    recipe = typed("prototypical-glyphs", "--steps 4 --filters 2")
    run = Run.create(folder, recipe.to_json())
    run.log({"step": 1, "loss": 3.0, "accuracy": 0.1, "seconds": 2.0})
    validation = {"validation_accuracy": 0.25, "validation_score": 0.25}
    run.log({"step": 2, "loss": 1.0, "accuracy": 0.2, **validation, "seconds": 2.5})
    save_arrays(run.learner_file, recipe.learner(), recipe.to_json())
    return folder


@pytest.fixture(scope="module")
def bandit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "bandit"
    untrained(folder, "rl2-bandit", "--width 6 --trial-episodes 3 --steps 4")
    Run.open(folder).log({"step": 4, "loss": 1.0, "return": 1.0, "entropy": 0.5, "seconds": 1.0})
    return folder


def test_before_any_evaluation_it_says_how_to_make_one(glyphs, capsys):
    main(["report", str(glyphs), "--episodes", "4"])
    assert "report.html" in capsys.readouterr().out
    text = (glyphs / "report.html").read_text()
    demand_self_contained(text)
    assert "quickstudy evaluate" in text
    assert "Stopped at step 2 of 4" in text
    assert "accuracy 25.00 % at step 2" in text
    assert "0.5 s</td>" in text, "seconds per step"
    assert re.search(r"tasks per second</t.>\s*<td[^>]*>4<", text), "2 tasks in half a second"
    assert "a&lt;b&gt;&amp;c" in text
    assert "a<b>" not in text
    assert "<svg" in text
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text


def test_the_evaluation_and_the_changed_settings(glyphs):
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
        "20-way, validation 5-way",
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
    said = stopped(["report", str(glyphs), "--beside", str(glyphs)], capsys)
    assert "it compares policies that act, and prototypical-glyphs trains none" in said
    file = glyphs / "evaluation-test.json"
    for damaged in ("{", "[]", '{"metric": 1}'):
        file.write_text(damaged)
        said = stopped(["report", str(glyphs)], capsys)
        assert "evaluation-test.json" in said
        assert "quickstudy evaluate" in said
    file.unlink()


def test_a_policy_before_any_evaluation(bandit, capsys):
    main(["report", str(bandit)])
    assert "report.html" in capsys.readouterr().out
    text = (bandit / "report.html").read_text()
    demand_self_contained(text)
    assert f"quickstudy evaluate {bandit}" in text
    assert "Entropy of the policy" in text
    assert "Stopped at" not in text
    assert "--episodes" in stopped(["report", str(bandit), "--episodes", "3"], capsys)


def test_rewards_regret_and_a_trial(bandit):
    main(f"evaluate {bandit} --episodes 20".split())
    main(["report", str(bandit)])
    text = (bandit / "report.html").read_text()
    demand_self_contained(text)
    for part in (
        "Reward of each episode",
        "against best arm",
        "Gittins",
        "20, each in an MDP",
        "20 test trials of bandit",
    ):
        assert part in text
    picture = (bandit / "play-test-0.png").read_bytes()
    assert base64.b64encode(picture).decode() in text
    file = bandit / "evaluation-test-20-episodes.json"
    total = json.loads(file.read_text())["policy"]["total"]
    assert written(Estimate(**total), "return") in text


def test_other_runs_are_put_beside(bandit, tmp_path, capsys):
    """An ablation's figure: runs are named by what they did otherwise."""
    other = tmp_path / "other"
    main(f"evaluate {bandit} --episodes 20".split())
    shutil.copytree(bandit, other, ignore=shutil.ignore_patterns("evaluation-*"))
    said = stopped(f"report {bandit} --beside {other}".split(), capsys)
    assert f"quickstudy evaluate {other}" in said
    recipe = load_recipe(bandit)
    never = dataclasses.replace(recipe, method=dataclasses.replace(recipe.method, forgets="never"))
    export(never.learner(), other / "learner.safetensors", never)
    found = json.loads((bandit / "evaluation-test-20-episodes.json").read_text())
    found["policy"]["total"] = {"mean": 7.125, "interval": 0.0125}
    (other / "evaluation-test.json").write_text(json.dumps(found))
    main(f"report {bandit} --beside {other}".split())
    text = (bandit / "report.html").read_text()
    for part in ("this run and others", "forgets: never", "7.125"):
        assert part in text
    longer = dataclasses.replace(
        never, problem=dataclasses.replace(never.problem, trial_episodes=9)
    )
    export(longer.learner(), other / "learner.safetensors", longer)
    assert "with as many episodes" in stopped(f"report {bandit} --beside {other}".split(), capsys)


def test_a_damaged_evaluation_is_named(bandit, capsys):
    file = bandit / "evaluation-validation.json"
    file.write_text('{"trials": 3}')
    said = stopped(["report", str(bandit)], capsys)
    file.unlink()
    assert "evaluation-validation.json cannot be read" in said


@pytest.mark.parametrize("told", ["[]1", '["x"]', '{"machine": "x"}'])
def test_a_damaged_environment_is_named(bandit, capsys, told):
    file = bandit / "environment.json"
    before = file.read_text()
    file.write_text(told)
    said = stopped(["report", str(bandit)], capsys)
    file.write_text(before)
    assert "environment.json cannot be read" in said
