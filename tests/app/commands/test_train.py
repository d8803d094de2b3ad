"""`quickstudy train`: a complete folder, resumed to the same bits, and no trace of a refusal."""

import itertools
import json
import re
import shutil
import sys

import pytest

from quickstudy.app.cli import main
from quickstudy.experiments.recipes import DEFAULT
from quickstudy.experiments.saved import load
from quickstudy.testing.comparing import same_bits
from references.recipes import untrained
from references.refusing import demand_refused, stopped

TINY = ["--steps", "4", "--meta-batch", "2", "--validate-every", "2", "--validation-episodes", "4"]
TINY_GLYPHS = [*TINY, "--filters", "4", "--train-ways", "5", "--no-test"]
SMALL = "--meta-batch 8 --width 6 --validation-episodes 8 --epochs 1 --minibatches 2"
SHORT = "--steps 4 --validate-every 2 --trial-episodes 3 --no-test"


@pytest.fixture(scope="module")
def glyphs_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "glyphs"
    main(["train", "prototypical-glyphs", *TINY_GLYPHS, "--run", str(folder)])
    return folder


@pytest.fixture(scope="module")
def bandit_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "bandit"
    main(f"train rl2-bandit {SMALL} {SHORT} --run {folder}".split())
    return folder


def test_what_a_resumed_run_does_not_read(tmp_path, capsys):
    untrained(tmp_path / "run", "maml-sinusoid", "--width 4")
    for given in ("--run elsewhere", "--on glyphs"):
        said = stopped(["train", "--resume", str(tmp_path / "run"), *given.split()], capsys)
        assert "--resume goes on with the run's own; leave it out" in said
    (tmp_path / "photos").mkdir()
    assert "--resume" not in stopped(["evaluate", str(tmp_path / "photos")], capsys)


def test_a_complete_folder(glyphs_run):
    recipe = json.loads((glyphs_run / "recipe.json").read_text())
    assert recipe["recipe"] == "prototypical-glyphs"
    assert recipe["method"]["network"]["filters"] == 4
    assert recipe["budget"]["steps"] == 4
    environment = json.loads((glyphs_run / "environment.json").read_text())
    assert environment["packages"]["jax"]
    assert environment["machine"]["cores"]
    lines = (glyphs_run / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == sorted(steps)
    assert steps[-1] == 4
    assert (glyphs_run / "learner.safetensors").exists()


def test_a_pair_is_the_recipe_of_its_name(glyphs_run, tmp_path):
    """The default, too: one and the same training, bit for bit."""
    for number, named in enumerate(([], ["prototypical", "--on", "glyphs"])):
        run = tmp_path / str(number)
        main(["train", *named, *TINY_GLYPHS, "--run", str(run)])
        for file in ("recipe.json", "learner.safetensors"):
            assert (run / file).read_bytes() == (glyphs_run / file).read_bytes()
    assert DEFAULT == "prototypical-glyphs"


def test_a_test_follows_and_names_the_data(tmp_path, capsys):
    run = tmp_path / "run"
    small = ["--width", "4", "--test-queries", "3", "--run", str(run)]
    main(["train", "ridge", "--on", "sinusoid", *TINY, *small])
    found = json.loads((run / "evaluation-test.json").read_text())
    assert found["data"] == "sinusoid, 5 support points"
    assert (found["recipe"], found["episodes"]) == ("ridge-sinusoid", 1000)
    assert "ridge-sinusoid on sinusoid, 5 support points, test tasks" in " ".join(
        capsys.readouterr().out.split()
    )
    assert (run / "evaluation-test.png").exists()


def test_resume_of_a_finished_run_changes_nothing(glyphs_run):
    before = (glyphs_run / "learner.safetensors").read_bytes()
    main(["train", "--resume", str(glyphs_run), "--no-test"])
    assert (glyphs_run / "learner.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--filters 8", "--filters differs from the run"),
        ("--similarity cosine --seed 3", "--similarity, --seed differ"),
        ("--network mlp", "--network differ"),
        ("--steps 3", "less than the 4"),
        ("--run elsewhere", "--run"),
        ("--on omniglot", "--on"),
    ],
)
def test_resume_with_another_setting_is_refused(given, said, glyphs_run, capsys):
    text = stopped(["train", "--resume", str(glyphs_run), *given.split()], capsys)
    assert re.search(said, text), text


def test_resume_for_longer(glyphs_run, tmp_path, capsys):
    longer = tmp_path / "longer"
    shutil.copytree(glyphs_run, longer)
    main(["train", "--resume", str(longer), "--steps", "6", "--no-test"])
    lines = [json.loads(line) for line in (longer / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 6
    assert json.loads((longer / "recipe.json").read_text())["budget"]["steps"] == 6
    (then,) = json.loads((longer / "environment.json").read_text())["lengthened"]
    assert (then["step"], then["steps"]) == (4, 6)
    main(["train", "--resume", str(longer), "--no-test"])


def test_resume_with_another_recipe_is_refused(glyphs_run, capsys):
    said = stopped(["train", "maml-glyphs", "--resume", str(glyphs_run)], capsys)
    assert "prototypical-glyphs" in said


def test_existing_run_folder_is_refused(glyphs_run, capsys):
    said = stopped(["train", *TINY_GLYPHS, "--run", str(glyphs_run)], capsys)
    assert "--resume" in said


def test_a_resumed_training_is_the_same_training(bandit_run, tmp_path):
    """From its checkpoint of step 2 it ends with the same bits."""
    again = tmp_path / "again"
    shutil.copytree(bandit_run, again)
    newest = max((again / "checkpoints").iterdir())
    newest.unlink()
    (again / "learner.safetensors").unlink()
    main(f"train --resume {again} --no-test".split())
    assert same_bits(load(again), load(bandit_run))


def test_a_run_made_longer_is_one_of_that_length(tmp_path):
    """TRPO has no rate that would depend on how many steps are planned."""
    each = ["--meta-batch", "--trajectories", "--validation-episodes", "--validate-every"]
    tiny = ["maml-bandit", "--no-test", *itertools.chain(*zip(each, "2221", strict=True))]
    runs = [tmp_path / name for name in ("at once", "longer")]
    for run, steps in zip(runs, ("2", "1"), strict=True):
        main(["train", *tiny, "--steps", steps, "--run", str(run)])
    main(["train", "--resume", str(runs[1]), "--steps", "2", "--no-test"])
    once, longer = (run / "checkpoints" / "step-00000002.safetensors" for run in runs)
    assert once.read_bytes() == longer.read_bytes()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("maml-sinusoid --steps 0", "steps is 0"),
        ("maml-sinusoid --inner-steps -1", "inner_steps is -1"),
        ("maml-sinusoid --inner-lr nan", "inner_lr is nan"),
        ("maml-sinusoid --clip 0", "clip is 0.0"),
        ("prototypical-glyphs --train-ways -1", "train_ways is -1"),
        ("prototypical-glyphs --filters 0", "filters is 0"),
        ("cavia-sinusoid --context 0", "context is 0"),
        ("rl2-bandit --arms 0", "arms is 0"),
        ("rl2-bandit --width 0", "width is 0"),
        ("rl2-bandit --discount 1.01", "discount is 1.01"),
        ("rl2-bandit --decay 2", "decay is 2.0"),
        ("rl2-bandit --epochs 0", "epochs is 0"),
        ("rl2-bandit --minibatches 0", "minibatches is 0"),
        ("rl2-bandit --parts 0", "parts is 0; give a whole number"),
        ("rl2-bandit --clip 0", "clip is 0.0"),
        ("rl2-bandit --trial-episodes 0", "trial_episodes is 0"),
        ("rl2-bandit --improvement trpo --radius 0", "radius is 0.0"),
        ("maml-navigation --trajectories 0", "trajectories is 0"),
        ("maml-navigation --discount 1.01", "discount is 1.01"),
        ("maml-navigation --radius 0", "radius is 0.0"),
        ("maml-navigation --curvature-every 0", "curvature_every is 0"),
        ("maml-navigation --adapts context --context-size 0", "context_size is 0"),
        ("maml-navigation --scored-trajectories 3", "for families that are not compiled"),
        ("maml-navigation --scored-trajectories 30", "30 is above --trajectories 20"),
        ("maml-sinusoid --test-shots 0", "test_shots is 0"),
        ("reptile-sinusoid --inner-batch 1000", "minibatches of 1000 and a task has 20"),
        ("blackbox-sinusoid --memory transformer --past 1", "looks 1 inputs back"),
        ("blackbox-sinusoid --memory snail --memory-size 1", "give 2 or more"),
        ("rl2-bandit --memory snail --width 1", "give 2 or more"),
        ("rl2-bandit --minibatches 8 --meta-batch 2", "minibatches is 8, and a step has 2 trials"),
        ("varibad-gridnavi --model-minibatches 9 --meta-batch 8", "(--model-minibatches) is 9"),
        ("varibad --on bandit --predicts rewards-and-states", "this family shows none"),
        ("pretrained-navigation --estimator dice", "--estimator is not read"),
    ],
)
def test_numbers_that_cannot_be(given, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    demand_refused(["train", *given.split()], said, tmp_path, capsys)


def test_tensorboard_that_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    run = tmp_path / "run"
    said = stopped(["train", "maml-sinusoid", *TINY, "--tensorboard", "--run", str(run)], capsys)
    assert "pip install" in said
    assert not run.exists()


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX")
    run = tmp_path / "run"
    main(["train", "maml-sinusoid", *TINY, "--tensorboard", "--no-test", "--run", str(run)])
    assert any((run / "tensorboard").iterdir())
