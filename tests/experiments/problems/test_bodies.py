"""Bodies in MuJoCo: trained, evaluated and filmed from the command line."""

import json

import numpy as np
import pytest

from quickstudy.app.cli import main
from quickstudy.envs.mujoco import ant, cheetah
from quickstudy.experiments.problems.bodies import AntFamily, CheetahFamily
from references.recipes import typed
from references.refusing import demand_refused

pytest.importorskip("mujoco")
SMALL = {
    "rl2": ("--meta-batch", "4", "--width", "8", "--trial-episodes", "1", "--epochs", "1"),
    "maml": ("--meta-batch", "2", "--trajectories", "2", "--updates", "1"),
    "pretrained": ("--meta-batch", "2", "--trajectories", "2", "--updates", "1", "--sees", "task"),
}
BODIES = {"cheetah": CheetahFamily, "ant": AntFamily}
OTHER = {"cheetah": ("direction", "promp"), "ant": ("goal", "pearl")}  # than a recipe's own


@pytest.fixture
def short_episodes(monkeypatch):
    for family in (ant, cheetah):
        monkeypatch.setattr(family, "HORIZON", 20)


@pytest.mark.parametrize("body", OTHER)
@pytest.mark.parametrize("method", SMALL)
@pytest.mark.usefixtures("short_episodes")
def test_a_body_is_trained_evaluated_and_filmed(method, body, tmp_path, monkeypatch):
    name, (aim, version) = f"{method}-{body}", OTHER[body]
    monkeypatch.chdir(tmp_path)
    for owner in ("policy_method.PolicyMethod", "methods.maml_rl.MAMLPolicyConfig"):
        monkeypatch.setattr(f"quickstudy.experiments.{owner}.test_trials", lambda *_: 4)
    few = ("--steps", "1", "--validate-every", "1", "--validation-episodes", "2")
    main(["train", name, "--aim", aim, "--version", version, *few, *SMALL[method]])
    (run,) = (tmp_path / "runs").iterdir()
    assert json.loads((run / "recipe.json").read_text())["problem"]["version"] == version
    found = json.loads((run / "evaluation-test.json").read_text())
    assert found["trials"] == 4
    used = json.loads((run / "environment.json").read_text())["packages"]["mujoco"]
    assert found["engine"] == f"MuJoCo {used}, in C on the CPU"
    assert found["environment"].endswith(f"{aim}, {version}, v1")
    assert (found["data"], found["recipe"]) == (body, name)
    assert found["references"].keys() == {"random", *(["untrained"] if method != "rl2" else [])}
    main(["play", str(run)])
    assert (run / "play-test-0.gif").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("recipe", "flag", "value", "said"),
    [
        ("rl2-cheetah", "--memory", "table", "states"),
        ("rl2-cheetah", "--forgets", "never", "forgets is 'never'"),
        ("maml-cheetah", "--trajectories", "0", "trajectories is 0"),
        ("maml-ant", "--inner-lr", "nan", "inner_lr is nan"),
        ("rl2-cheetah", "--processes", "-1", "processes is -1"),
    ],
)
def test_what_cannot_be_leaves_no_folder(recipe, flag, value, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    demand_refused(["train", recipe, flag, value], said, tmp_path, capsys)


@pytest.mark.parametrize("name", BODIES)
def test_each_aim_and_version_is_the_paper_s(name):
    method = typed(f"maml-{name}").method
    copies = method.copies(typed(f"maml-{name}").budget)
    for aim, version in [("direction", "maml"), OTHER[name]]:
        problem = BODIES[name](aim=aim, version=version)
        family = problem.environment("train", copies)
        assert family.host.copies == 100
        paper = {"ant": ant.ant, "cheetah": cheetah.cheetah}[name](aim, version)
        family.host.spaces  # noqa: B018  # opens the first
        body = family.host.environments[0].unwrapped.body
        assert type(body) is paper.body
        assert family.horizon == paper.horizon == 200
        shorter = BODIES[name](aim=aim, version=version, horizon=100).environment("test")
        assert shorter.horizon == 100


@pytest.mark.parametrize("name", BODIES)
def test_a_told_task_is_seen_after_the_body(name):
    hidden, told = (BODIES[name](sees=s).environment("test", 9).host for s in ("body", "task"))
    without, seen = hidden.begin(seed=3), told.begin(seed=3)
    tasks = np.stack([np.ravel(env.unwrapped.task) for env in told.environments])
    assert len(np.unique(tasks, axis=0)) > 1
    np.testing.assert_array_equal(seen, np.concatenate([without, tasks.astype("f")], 1))
    following = told.step(np.zeros((len(seen), told.spaces.actions.size))).observation
    np.testing.assert_array_equal(following[:, without.shape[1] :], tasks.astype("f"))
