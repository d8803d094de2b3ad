"""The command line with a policy that acts: train, evaluate, play, resume."""

import base64
import dataclasses
import itertools
import json
import multiprocessing
import shutil

import jax
import pytest
from PIL import Image
from quickstudy.recipes import RECIPES, find
from quickstudy.recipes.exports import export, load, load_recipe

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.evaluation.tasks import Estimate
from quickstudy.experiments.metrics import written
from quickstudy.experiments.pictures.watch import watch
from quickstudy.rl.maml import stages
from quickstudy.testing.comparing import same_bits
from references.reading_html import demand_self_contained
from references.refusing import demand_refused

SMALL = "--meta-batch 8 --width 6 --validation-episodes 8 --epochs 1 --minibatches 2"
SHORT = "--steps 4 --validate-every 2 --episodes 3 --no-test"


@pytest.fixture(scope="module")
def bandit_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "bandit"
    main(f"train rl2-bandit {SMALL} {SHORT} --run {folder}".split())
    return folder


def width(picture):
    with Image.open(picture) as image:
        return image.size[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rl2-bandit --arms 0", "arms is 0"),
        ("rl2-bandit --width 0", "width is 0"),
        ("rl2-bandit --discount 1.01", "discount is 1.01"),
        ("rl2-bandit --decay 2", "decay is 2.0"),
        ("rl2-bandit --epochs 0", "epochs is 0"),
        ("rl2-bandit --minibatches 0", "minibatches is 0"),
        ("rl2-bandit --parts 0", "0 equal parts"),
        ("rl2-bandit --clip 0", "clip is 0.0"),
        ("rl2-bandit --improvement trpo --radius 0", "radius is 0.0"),
        ("maml-navigation --trajectories 0", "trajectories is 0"),
        ("maml-navigation --discount 1.01", "discount is 1.01"),
        ("maml-navigation --radius 0", "radius is 0.0"),
        ("maml-navigation --curvature-every 0", "curvature_every is 0"),
        ("maml-navigation --adapts context --context-size 0", "context_size is 0"),
    ],
)
def test_what_cannot_be_is_refused_before_there_is_a_folder(
    given, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    demand_refused(["train", *given.split()], said, tmp_path, capsys)


def test_evaluate_beside_the_oracles(bandit_run, capsys):
    main(f"evaluate {bandit_run} --episodes 50".split())
    out = capsys.readouterr().out
    for name in ("policy", "Bayes optimum", "Gittins", "UCB1", "greedy", "random", "best arm"):
        assert name in out
    found = json.loads((bandit_run / "evaluation-test-50-episodes.json").read_text())
    assert found["trials"] == 50
    assert (found["environment"], found["data"]) == ("Bandit-v1", "Bandit-v1")
    assert (found["recipe"], found["split"]) == ("rl2-bandit", "test")
    assert len(found["policy"]["episodes"]) == 3
    # In the same bandits: who knows the best arm is never expected to earn less.
    assert found["references"]["best arm"]["total"]["mean"] > 1.5
    assert width(bandit_run / "evaluation-test-50-episodes.png") > 300


def test_an_evaluation_with_other_settings_leaves_the_run_s_own_alone(bandit_run, monkeypatch):
    monkeypatch.setattr(RECIPES["rl2-bandit"], "test_trials", 10)
    main(f"evaluate {bandit_run}".split())
    own = (bandit_run / "evaluation-test.json").read_bytes()
    main(f"evaluate {bandit_run} --episodes 12".split())
    assert (bandit_run / "evaluation-test.json").read_bytes() == own
    assert json.loads((bandit_run / "evaluation-test-12-episodes.json").read_text())["trials"] == 12
    main(f"evaluate {bandit_run} --episodes 10".split())
    assert (bandit_run / "evaluation-test.json").read_bytes() == own, "its own settings"
    assert not (bandit_run / "evaluation-test-10-episodes.json").exists()


def test_play_shows_a_trial(bandit_run, capsys):
    main(f"play {bandit_run} --trial 2".split())
    file = bandit_run / "play-test-2.png"
    assert str(file) in capsys.readouterr().out
    assert width(file) > 300


@pytest.fixture(scope="module")
def updates_run(tmp_path_factory):
    """MAML, trained for two updates."""
    folder = tmp_path_factory.mktemp("runs") / "updates"
    sizes = "--meta-batch 2 --trajectories 3 --width 4 --validation-episodes 2 --inner-steps 2"
    main(f"train maml-navigation {sizes} {SHORT} --run {folder}".split())
    return folder


def test_play_shows_paths_before_and_after_each_update(updates_run, capsys):
    main(f"play {updates_run} --trial 1".split())
    file = updates_run / "play-test-1.png"
    assert str(file) in capsys.readouterr().out
    assert width(file) > 300


def test_other_updates_at_test(updates_run, capsys):
    main(f"evaluate {updates_run} --episodes 10 --updates 2 --later-lr 0.5".split())
    file = updates_run / "evaluation-test-2-updates-0.5-later-lr-10-episodes.json"
    assert len(json.loads(file.read_text())["policy"]["episodes"]) == 3
    with pytest.raises(SystemExit):
        main(f"evaluate {updates_run} --updates 0".split())
    assert "--updates is 0" in capsys.readouterr().err


def test_a_later_rate_of_zero_moves_nothing_later(updates_run):
    recipe, learned = load_recipe(updates_run).tested_with(load(updates_run), 3, 0.0)
    assert recipe.episodes == 4
    policy, rule = learned
    task = recipe.trial("test").environment.sample(jax.random.key(0))
    adaptation = recipe.adaptation(rule, "test")
    found = stages(policy, adaptation, task, 3, jax.random.key(1))
    weights = [stage.head.weight for stage in found]
    assert (weights[0] != weights[1]).any()
    assert (weights[1] == weights[3]).all()
    other = dataclasses.replace(recipe, adapts="context")
    with pytest.raises(qs.BadInput, match="--adapts context"):
        other.tested_with(learned, None, 0.1)


def test_what_is_watched_adapts_in_the_split_s_own_family(updates_run, monkeypatch):
    """Here its episodes are longer at test; each update moves the policy, and the first stage is
    the policy as it was trained."""
    recipe, key = load_recipe(updates_run), jax.random.key(0)
    lengths = {"train": 20, "test": 30}
    monkeypatch.setattr(
        RECIPES["maml-navigation"],
        "environment",
        lambda _, split: qs.Navigation(horizon=lengths[split]),
    )
    trial, (policy, rule) = recipe.trial("train"), load(updates_run)
    task, (adapt_key, act_key) = trial.environment.sample(key), jax.random.split(key)
    found = stages(policy, recipe.adaptation(rule, "train"), task, 2, adapt_key)
    weights = [stage.head.weight for stage in found]
    assert len(weights) == 3
    assert (weights[0] == policy.head.weight).all()
    assert (weights[0] != weights[1]).any()
    assert (weights[1] != weights[2]).any()
    watched, one = recipe.watching((policy, rule), trial, task, key), qs.Trial(trial.environment, 1)
    for number, (stage, episode) in enumerate(zip(found, watched, strict=True)):
        (wanted,) = watch(stage, one, task, jax.random.fold_in(act_key, number))
        assert episode.rewards == wanted.rewards
        assert len(episode.rewards) == 20


def test_mazes_of_another_size(tmp_path):
    """What was trained in 4 × 4 cells finds its way in 5 × 5, whose episodes may take longer."""
    run = tmp_path / "maze"
    main(f"train rl2-maze --size 4 {SMALL} --steps 1 --no-test --run {run}".split())
    main(f"evaluate {run} --size 5 --episodes 10".split())
    found = json.loads((run / "evaluation-test-5-cells-10-episodes.json").read_text())
    assert max(stage["mean"] for stage in found["policy"]["lengths"]) > 2 * 4**2


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
    ("command", "message"),
    [
        ("evaluate RUN --shots 5", "--shots is for learners that read examples"),
        ("evaluate RUN --updates 9", "for policies that adapt by gradients, and rl2-bandit"),
        ("evaluate RUN --size 9", "--size is for policies in mazes"),
        ("play RUN --trial -1", "--trial is -1"),
    ],
)
def test_what_a_policy_cannot_do(bandit_run, capsys, command, message):
    with pytest.raises(SystemExit) as stopped:
        main(command.replace("RUN", str(bandit_run)).split())
    assert stopped.value.code == 1
    assert message in capsys.readouterr().err


def test_report_before_any_evaluation_says_how_to_make_one(bandit_run, capsys):
    for file in bandit_run.glob("evaluation-*.json"):
        file.unlink()
    main(["report", str(bandit_run)])
    assert "report.html" in capsys.readouterr().out
    text = (bandit_run / "report.html").read_text()
    demand_self_contained(text)
    assert f"quickstudy evaluate {bandit_run}" in text
    assert "Entropy of the policy" in text
    assert "Stopped at" not in text


def test_report_shows_rewards_regret_and_a_trial(bandit_run):
    main(f"evaluate {bandit_run} --episodes 20".split())
    main(["report", str(bandit_run)])
    text = (bandit_run / "report.html").read_text()
    demand_self_contained(text)
    for part in (
        "Reward of each episode",
        "against best arm",
        "Gittins",
        "20, each in an MDP",
        "20 test trials of Bandit-v1",
    ):
        assert part in text
    picture = (bandit_run / "play-test-0.png").read_bytes()
    assert base64.b64encode(picture).decode() in text
    file = bandit_run / "evaluation-test-20-episodes.json"
    total = json.loads(file.read_text())["policy"]["total"]
    assert written(Estimate(**total), "return") in text


def test_report_puts_other_runs_beside(bandit_run, tmp_path, capsys):
    """An ablation's figure: runs are named by what they did otherwise."""
    other = tmp_path / "other"
    main(f"evaluate {bandit_run} --episodes 20".split())
    shutil.copytree(bandit_run, other, ignore=shutil.ignore_patterns("evaluation-*"))
    with pytest.raises(SystemExit):
        main(f"report {bandit_run} --beside {other}".split())
    assert f"quickstudy evaluate {other}" in capsys.readouterr().err
    never = dataclasses.replace(load_recipe(bandit_run), forgets="never")
    export(never.learner(), other / "learner.safetensors", never)
    found = json.loads((bandit_run / "evaluation-test-20-episodes.json").read_text())
    found["policy"]["total"]["mean"] = 7.125
    (other / "evaluation-test.json").write_text(json.dumps(found))
    main(f"report {bandit_run} --beside {other}".split())
    text = (bandit_run / "report.html").read_text()
    for part in ("this run and others", "forgets: never", "7.125"):
        assert part in text
    longer = dataclasses.replace(never, episodes=9)
    export(longer.learner(), other / "learner.safetensors", longer)
    with pytest.raises(SystemExit):
        main(f"report {bandit_run} --beside {other}".split())
    assert "with as many episodes" in capsys.readouterr().err


def test_a_damaged_evaluation_is_named(bandit_run, capsys):
    file = bandit_run / "evaluation-validation.json"
    file.write_text('{"trials": 3}')
    with pytest.raises(SystemExit):
        main(["report", str(bandit_run)])
    file.unlink()
    assert "evaluation-validation.json cannot be read" in capsys.readouterr().err


OWN = """
from dataclasses import dataclass
import gymnasium
import numpy as np
from quickstudy.recipes.on_host import MAMLOnHost, OnHost, RL2OnHost

class Pictured(gymnasium.Wrapper):
    def render(self):
        return np.full((20, 30, 3), 200, np.uint8)

@dataclass(frozen=True)
class OnPoles(OnHost):
    episodes: int = 2

    def environment(self, split):
        return self.hosted(
            make=lambda: Pictured(gymnasium.make("CartPole-v1")),
            sample_task=lambda rng: rng.uniform(0.25, 1.0),
            set_task=lambda env, length: setattr(env.unwrapped, "length", length),
            copies=4,
            horizon=20,
        )

@dataclass(frozen=True)
class Poles(RL2OnHost, OnPoles):
    name, reaches, takes, source = "poles", "nothing", "seconds", "our own"

@dataclass(frozen=True)
class AdaptingPoles(MAMLOnHost, OnPoles):
    name, reaches, takes, source = "adapting-poles", "nothing", "seconds", "our own"
"""
ADAPTING = "--meta-batch 3 --width 4 --validation-episodes 4 --trajectories 2"


@pytest.mark.parametrize(("named", "small"), [("Poles", SMALL), ("AdaptingPoles", ADAPTING)])
def test_a_gymnasium_family_of_ones_own(named, small, tmp_path, capsys):
    """Trained, resumed, tested beside random actions, filmed, and told as a page."""
    pytest.importorskip("gymnasium")
    (tmp_path / "poles.py").write_text(OWN)
    run, recipe = tmp_path / "run", f"{tmp_path / 'poles.py'}:{named}"
    main(f"train {recipe} {small} --steps 4 --validate-every 2 --no-test --run {run}".split())
    again = tmp_path / "again"
    shutil.copytree(run, again)
    max((again / "checkpoints").iterdir()).unlink()
    main(f"train --resume {again} --no-test".split())
    assert same_bits(load(run), load(again))
    main(f"evaluate {run} --episodes 6".split())
    assert "random" in capsys.readouterr().out
    found = json.loads((run / "evaluation-test-6-episodes.json").read_text())
    assert all(0 < stage["mean"] <= 20 for stage in found["policy"]["episodes"])
    main(f"report {run}".split())
    demand_self_contained((run / "report.html").read_text())
    assert width(run / "play-test-0.gif") > 2 * 30, "the first and the last episode"


def test_a_file_s_environments_go_into_processes_of_their_own(tmp_path):
    """Though no other process could import what the file defines."""
    pytest.importorskip("gymnasium")
    (tmp_path / "poles.py").write_text(OWN)
    recipe, key = find(f"{tmp_path / 'poles.py'}:Poles"), jax.random.key(0)
    trials = [recipe(processes=n).trial("train") for n in (0, 2)]
    assert isinstance(trials[1].environment.host, qs.HostWorkers)
    one, two = (qs.host_rollouts(qs.Random(t.environment), t, key, 4) for t in trials)
    assert same_bits(one, two)
    trials[1].environment.host.close()


@pytest.mark.parametrize(("named", "settings"), [
    ("Poles", {"width": 4, "meta_batch": 4, "validation_episodes": 2, "epochs": 1}),
    ("AdaptingPoles", {"width": 4, "meta_batch": 2, "validation_episodes": 2, "trajectories": 2}),
])  # fmt: skip
def test_a_recipe_leaves_no_process_behind(named, settings, tmp_path):
    """Neither of training nor of tests, though nothing of them has been forgotten."""
    pytest.importorskip("gymnasium")
    (tmp_path / "poles.py").write_text(OWN)
    recipe = find(f"{tmp_path / 'poles.py'}:{named}")
    recipe, key = recipe(processes=2, steps=1, **settings), jax.random.key(0)
    train, before = recipe.training(), multiprocessing.active_children()
    learned = train()
    assert multiprocessing.active_children() == before
    earning, references = recipe.earning(learned, "test"), recipe.references("test")
    for earn in (earning, *references.values()):
        assert len(earn(key, 2)) == 2
        assert multiprocessing.active_children() == before
