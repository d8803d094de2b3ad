"""Results in a run's folder; those that version 0.1 wrote, too."""

import json

import pytest

from quickstudy.errors import CheckpointError
from quickstudy.experiments.learner_result import LearnerResult
from quickstudy.experiments.policy_result import PolicyResult
from quickstudy.experiments.result_files import evaluations, read_json, read_result
from quickstudy.writing import write_json
from references.results import a_learner_result, a_policy_result

EACH = {"mean": 0.5, "interval": None}
LEARNER = {
    "options": {"run": "runs/a", "split": "test", "ways": 20, "on": None, "curves": True},
    "metric": "accuracy", "after": {"mean": 0.9, "interval": 0.01}, "before": EACH,
    "path": [EACH, EACH], "episodes": 1000, "transductive": False, "shots": {"1": EACH},
}  # fmt: skip
POLICY = {
    "policy": {"total": EACH, "episodes": [EACH, EACH], "lengths": []},
    "references": {"random": {"total": EACH, "episodes": [EACH, EACH]}}, "trials": 200,
    "stage": "episode", "environment": "HalfCheetah-v5", "engine": "MuJoCo 3.3",
}  # fmt: skip


def written(folder, value, name="evaluation-test.json"):
    file = folder / name
    file.write_text(json.dumps(value))
    return file


def test_a_learner_s_result_of_version_0_1(tmp_path):
    result = read_result(written(tmp_path, LEARNER), recipe="maml", data="glyphs, 5-way 1-shot")
    assert isinstance(result, LearnerResult)
    assert (result.recipe, result.split) == ("maml", "test")
    assert result.data == "glyphs, 5-way 1-shot; --ways 20"
    assert (result.evaluation.after.mean, result.shots[1].mean) == (0.9, 0.5)
    assert len(result.evaluation.path) == 2


def test_a_policy_s_result_of_version_0_1(tmp_path):
    file = written(tmp_path, POLICY, "evaluation-validation-9-episodes.json")
    result = read_result(file, recipe="rl2", data="another body")
    assert isinstance(result, PolicyResult)
    assert (result.data, result.split) == ("HalfCheetah-v5", "validation")
    assert result.definition == {"environment": "HalfCheetah-v5", "engine": "MuJoCo 3.3"}
    assert result.evaluation.references["random"].episodes[1].mean == 0.5
    oldest = {name: POLICY[name] for name in ("policy", "references", "trials")}
    assert read_result(written(tmp_path, oldest)).evaluation.stage == "episode"


@pytest.mark.parametrize("result", [a_learner_result(), a_policy_result()])
def test_a_result_of_today_needs_nothing_else(result, tmp_path):
    write_json(tmp_path / "evaluation-train.json", result.to_json())
    assert read_result(tmp_path / "evaluation-train.json", data="never") == result


@pytest.mark.parametrize(
    "damaged", ["{", "[]", '{"metric": 1}', '{"policy": 3}', '{"trials": 3}', "5"]
)
def test_a_damaged_file_is_named(damaged, tmp_path):
    file = tmp_path / "evaluation-test.json"
    file.write_text(damaged)
    with pytest.raises(CheckpointError, match=r"evaluation-test.json cannot be read.*evaluate"):
        read_result(file)


def test_there_may_be_no_file(tmp_path):
    assert read_result(tmp_path / "a.json") is None
    assert read_json(tmp_path / "a.json") is None


def test_a_page_is_about_the_run_s_own_test_or_the_largest(tmp_path):
    assert evaluations(tmp_path) == (tmp_path / "evaluation-test.json", {})
    for name in ("test-9-episodes", "test-80-episodes", "validation"):
        (tmp_path / f"evaluation-{name}.json").touch()
    chief, others = evaluations(tmp_path)
    assert chief.name == "evaluation-test-80-episodes.json"
    assert list(others) == ["test-9-episodes", "validation"]
    (tmp_path / "evaluation-test.json").touch()
    chief, others = evaluations(tmp_path)
    assert chief.name == "evaluation-test.json"
    assert len(others) == 3
