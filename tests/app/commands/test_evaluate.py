"""`quickstudy evaluate`: tables, JSON and pictures, each of which names the data."""

import json

import pytest
from PIL import Image

from quickstudy.app.cli import main
from quickstudy.runs import Run
from references.recipes import untrained
from references.refusing import stopped


@pytest.fixture(scope="module")
def glyphs_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "glyphs"
    return untrained(folder, "prototypical-glyphs", "--filters 4 --train-ways 5")


@pytest.fixture(scope="module")
def bandit_run(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("runs") / "bandit", "rl2-bandit", SMALL)


@pytest.fixture(scope="module")
def updates_run(tmp_path_factory):
    sizes = "--meta-batch 2 --trajectories 3 --width 4 --inner-steps 2 --rule rate"
    return untrained(tmp_path_factory.mktemp("runs") / "updates", "maml-navigation", sizes)


SMALL = "--width 6 --trial-episodes 3"


def width(picture):
    with Image.open(picture) as image:
        return image.size[0]


def told(capsys):
    return " ".join(capsys.readouterr().out.split())


def test_table_json_and_pictures(glyphs_run, capsys):
    main(["evaluate", str(glyphs_run), "--episodes", "6", "--no-curves", "--ways", "3"])
    out = told(capsys)
    assert "prototypical-glyphs on glyphs, 3-way 1-shot, test tasks" in out
    assert "inductive" in out
    result = json.loads((glyphs_run / "evaluation-test-3-way-6-episodes.json").read_text())
    assert result["episodes"] == 6
    assert result["data"] == "glyphs, 3-way 1-shot"
    assert 0 <= result["after"]["mean"] <= 1
    assert sum(result["scores"]) / 6 == pytest.approx(result["after"]["mean"])
    shape = {"ways": 3, "shots": 1, "queries": 5}
    assert (result["tasks"]["on"], result["tasks"]["settings"]) == ("glyphs", shape)
    assert sum(answers for _, _, answers in result["classes"]) == 6 * 3 * 5
    assert "calibration error" in out
    for picture in ("evaluation-test-3-way-6-episodes.png", "episode-test-3-way-6-episodes.png"):
        assert width(glyphs_run / picture) > 200


def test_another_problem_with_inputs_of_the_same_kind(glyphs_run, omniglot_data, capsys):
    """In the shape of the run's own tests."""
    asked = ["evaluate", str(glyphs_run), "--episodes", "4", "--no-curves", "--ways", "4", "--on"]
    main([*asked, "omniglot", "--data", str(omniglot_data)])
    assert "omniglot (snell2017), 4-way 1-shot" in told(capsys)
    found = (glyphs_run / "evaluation-test-4-way-4-episodes-on-omniglot.json").read_text()
    found = json.loads(found)
    assert found["data"] == "omniglot (snell2017), 4-way 1-shot"
    shape = {"ways": 4, "shots": 1, "queries": 5, "protocol": "snell2017"}
    assert (found["tasks"]["on"], found["tasks"]["settings"]) == ("omniglot", shape)
    assert "did you mean omniglot" in stopped([*asked, "omnigolt"], capsys)
    assert "its problem is glyphs" in stopped([*asked, "maml-glyphs"], capsys)


@pytest.mark.parametrize("flag", ["--episodes", "--ways", "--shots", "--queries"])
def test_no_tasks_to_evaluate(glyphs_run, flag, capsys):
    before = sorted(glyphs_run.iterdir())
    assert f"{flag} is 0" in stopped(["evaluate", str(glyphs_run), flag, "0"], capsys)
    assert sorted(glyphs_run.iterdir()) == before


def test_data_that_the_learner_does_not_take(glyphs_run, bandit_run, tmp_path, capsys):
    said = stopped(["evaluate", str(glyphs_run), "--on", "sinusoid"], capsys)
    assert "has inputs of size 1 with numbers as targets" in said
    maml = untrained(tmp_path / "maml", "maml-glyphs", "--filters 2")
    said = stopped(["evaluate", str(maml), "--on", "sinusoid"], capsys)
    assert "inputs of size 1 with numbers as targets" in said
    assert "images of 28×28×1" in said
    assert "actions" in stopped(["evaluate", str(bandit_run), "--on", "navigation"], capsys)


def test_ways_that_the_learner_cannot_take(tmp_path, capsys):
    folder = untrained(tmp_path / "maml", "maml-glyphs", "--filters 4")
    said = stopped(["evaluate", str(folder), "--ways", "7"], capsys)
    assert "5" in said
    assert "7" in said


def test_another_number_of_inner_steps(tmp_path):
    folder = untrained(tmp_path / "maml", "maml-sinusoid", "--width 4")
    main(["evaluate", str(folder), "--episodes", "3", "--no-curves", "--test-inner-steps", "2"])
    (file,) = folder.glob("*2-test-inner-steps*.json")
    found = json.loads(file.read_text())
    assert found["after"]["mean"] == pytest.approx(found["path"][2]["mean"])
    assert found["after"]["mean"] != pytest.approx(found["path"][1]["mean"])


def test_training_tasks_of_different_sizes(tmp_path, capsys):
    sizes = "--shots 3 --fewest-ways 3 --fewest-shots 1 --filters 2 --train-ways 5"
    folder = untrained(tmp_path / "varying", "prototypical-glyphs", sizes)
    main(["evaluate", str(folder), "--episodes", "4", "--split", "train", "--no-curves"])
    assert "glyphs, 5-way 3-shot, train tasks" in told(capsys)
    Run.open(folder).log({"step": 1, "loss": 1.0, "accuracy": 0.1, "seconds": 1.0})
    main(["report", str(folder), "--episodes", "4"])
    text = (folder / "report.html").read_text()
    assert "3- to 5-way 1- to 3-shot, validation 5-way 3-shot" in text


def test_a_policy_beside_the_oracles(bandit_run, capsys):
    main(f"evaluate {bandit_run} --episodes 50".split())
    out = capsys.readouterr().out
    for name in ("policy", "Bayes optimum", "Gittins", "UCB1", "greedy", "random", "best arm"):
        assert name in out
    found = json.loads((bandit_run / "evaluation-test-50-episodes.json").read_text())
    assert found["trials"] == 50
    assert (found["environment"], found["data"]) == ("Bandit-v1", "bandit")
    assert (found["recipe"], found["split"]) == ("rl2-bandit", "test")
    assert len(found["policy"]["episodes"]) == 3
    assert sum(found["scores"]) / 50 == pytest.approx(found["policy"]["total"]["mean"])
    drawn = {"arms": 5, "trial_episodes": 3, "in_a_row": 1}
    assert (found["tasks"]["on"], found["tasks"]["settings"]) == ("bandit", drawn)
    # In the same bandits: an oracle that knows the best arm is never expected to earn less.
    assert found["references"]["best arm"]["total"]["mean"] > 1.5
    assert width(bandit_run / "evaluation-test-50-episodes.png") > 300


def test_an_evaluation_with_other_settings_leaves_the_run_s_own_alone(bandit_run, monkeypatch):
    owner = "quickstudy.experiments.policy_method.PolicyMethod.test_trials"
    monkeypatch.setattr(owner, lambda *_: 10)
    main(f"evaluate {bandit_run}".split())
    own = (bandit_run / "evaluation-test.json").read_bytes()
    main(f"evaluate {bandit_run} --episodes 12".split())
    assert (bandit_run / "evaluation-test.json").read_bytes() == own
    assert json.loads((bandit_run / "evaluation-test-12-episodes.json").read_text())["trials"] == 12
    main(f"evaluate {bandit_run} --episodes 10".split())
    assert (bandit_run / "evaluation-test.json").read_bytes() == own, "its own settings"
    assert not (bandit_run / "evaluation-test-10-episodes.json").exists()


def test_trials_of_another_length(bandit_run, updates_run, capsys):
    main(f"evaluate {bandit_run} --trial-episodes 5 --episodes 12".split())
    file = bandit_run / "evaluation-test-5-trial-episodes-12-episodes.json"
    found = json.loads(file.read_text())
    assert (len(found["policy"]["episodes"]), found["trials"]) == (5, 12)
    assert len(found["references"]["Bayes optimum"]["episodes"]) == 5
    assert found["tasks"]["settings"]["trial_episodes"] == 5
    said = stopped(f"evaluate {updates_run} --trial-episodes 5".split(), capsys)
    assert "--trial-episodes is not read" in said


def test_other_updates_at_test(updates_run, capsys):
    main(f"evaluate {updates_run} --episodes 10 --updates 2 --later-lr 0.5".split())
    file = updates_run / "evaluation-test-2-updates-0.5-later-lr-10-episodes.json"
    assert len(json.loads(file.read_text())["policy"]["episodes"]) == 3
    assert "--updates is 0" in stopped(f"evaluate {updates_run} --updates 0".split(), capsys)


def test_mazes_of_another_size(tmp_path):
    """What was trained in 4 × 4 cells finds its way in 5 × 5, whose episodes may take longer."""
    run = untrained(tmp_path / "maze", "rl2-maze", "--size 4 --width 6")
    main(f"evaluate {run} --size 5 --episodes 10".split())
    found = json.loads((run / "evaluation-test-5-cells-10-episodes.json").read_text())
    assert max(stage["mean"] for stage in found["policy"]["lengths"]) > 2 * 4**2


def test_the_likeliest_actions(bandit_run, tmp_path, capsys):
    """An untrained policy finds all arms equally good: the likeliest is always the first."""
    main(f"evaluate {bandit_run} --episodes 20".split())
    drawn = json.loads((bandit_run / "evaluation-test-20-episodes.json").read_text())
    capsys.readouterr()
    main(f"evaluate {bandit_run} --episodes 20 --greedy".split())
    assert "the likeliest" in told(capsys)
    found = json.loads((bandit_run / "evaluation-test-20-episodes-greedy.json").read_text())
    assert (drawn["actions"], found["actions"]) == ("drawn from the policy", "the likeliest")
    assert found["tasks"] == drawn["tasks"]
    assert found["scores"] != drawn["scores"]
    maml = untrained(tmp_path / "maml", "maml-bandit", "--width 4")
    main(f"evaluate {maml} --episodes 4 --greedy".split())
    found = json.loads((maml / "evaluation-test-4-episodes-greedy.json").read_text())
    assert found["actions"] == "the likeliest"


def test_0_where_it_says_something(tmp_path, capsys):
    """As many inner steps as in training; 0 tasks say nothing."""
    run = untrained(tmp_path / "maml", "maml-sinusoid", "--test-inner-steps 3")
    main(["evaluate", str(run), "--episodes", "4", "--test-inner-steps", "0"])
    assert (run / "evaluation-test-0-test-inner-steps-4-episodes.json").exists()
    assert "--test-shots is 0" not in capsys.readouterr().err
    assert "--shots is 0" in stopped(["evaluate", str(run), "--shots", "0"], capsys)
