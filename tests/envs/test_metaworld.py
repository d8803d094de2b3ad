"""Meta-World's adapter against a stub of the package's interface, and against the package itself
where it is installed: it asks for another MuJoCo than the one that the tests run with."""

import json
import pickle
import sys
import types
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from quickstudy.app.cli import main
from quickstudy.envs.host_family import HostFamily
from quickstudy.envs.metaworld import RobotTasks, ml1, ml10, ml45
from quickstudy.envs.workers import HostWorkers
from quickstudy.errors import BadInput, QuickstudyError
from quickstudy.experiments.problems.metaworld import MetaWorldFamily

gymnasium = pytest.importorskip("gymnasium")

SPLITS = ("train", "validation", "test")
TRAIN, TEST = ("reach-v3", "push-v3"), ("drawer-open-v3",)


class Task(NamedTuple):
    """As `metaworld.types.Task`."""

    env_name: str
    data: bytes


class StubArm(gymnasium.Env):
    """What the adapter uses of `metaworld.SawyerXYZEnv`, with its rules: no step or reset before
    a task is set, the goal as zeros, truncation at the horizon and no step after it."""

    max_path_length = 5
    name = ""
    opened: ClassVar = []

    def __init__(self, render_mode=None):
        StubArm.opened.append(self)
        self.render_mode, self.goal, self.time, self.closed = render_mode, None, 0, False
        self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (39,), np.float64)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)

    def set_task(self, task):
        given = pickle.loads(task.data)
        assert given["name"] == self.name, "a task of another arm"
        assert given["partially_observable"], "meta-RL hides the goal"
        self.goal = given["rand_vec"]

    def reset(self, seed=None, options=None):
        assert self.goal is not None
        self.time = 0
        return np.zeros(39), {}

    def step(self, action):
        assert self.goal is not None
        assert action.shape == (4,)
        if self.time >= self.max_path_length:
            raise ValueError("You must reset the env manually once truncate==True")
        self.time += 1
        reward = np.float64(10 - np.abs(action[:3] - self.goal).sum())
        told = {"success": float(self.time == 2)}  # in the midst of the episode
        return np.full(39, self.time / 10), reward, False, self.time == 5, told

    def render(self):
        raise RuntimeError("no OpenGL")

    def close(self):
        self.closed = True


def arm(name):
    """A class for each name, as in the package; made by `type` in a worker, too."""
    return type("StubArm", (StubArm,), {"name": name})


class StubML10:
    """As `metaworld.ML10`: classes and tasks of two splits."""

    def __init__(self, seed=None):
        rng = np.random.default_rng(seed)
        for split, names in (("train", TRAIN), ("test", TEST)):
            setattr(self, f"{split}_classes", {name: arm(name) for name in names})
            setattr(self, f"{split}_tasks", [self._task(n, rng) for n in names for _ in range(50)])

    def _task(self, name, rng):
        told = {"name": name, "rand_vec": rng.uniform(-1, 1, 3), "partially_observable": True}
        return Task(name, pickle.dumps(told))


class StubML1(StubML10):
    """As `metaworld.ML1`: one class, and other goals in the test."""

    ENV_NAMES = TRAIN + TEST

    def __init__(self, name, seed=None):
        rng = np.random.default_rng(seed)
        self.train_classes = self.test_classes = {name: arm(name)}
        self.train_tasks, self.test_tasks = (
            [self._task(name, rng) for _ in range(50)] for _ in range(2)
        )


@pytest.fixture
def stub(monkeypatch):
    package = types.ModuleType("metaworld")
    package.ML1, package.ML10, package.ML45 = StubML1, StubML10, StubML10
    monkeypatch.setitem(sys.modules, "metaworld", package)


def goals(arms):
    return {pickle.loads(task.task.data)["rand_vec"].tobytes() for task in arms.tasks}


@pytest.mark.usefixtures("stub")
def test_train_and_test_share_nothing():
    train, test = ml1("reach-v3"), ml1("reach-v3", "test")
    assert train.classes.keys() == test.classes.keys() == {"reach-v3"}
    assert len(goals(train)) == len(goals(test)) == 50
    assert not goals(train) & goals(test)
    assert goals(train) == goals(ml1("reach-v3"))
    train, test = ml10(), ml10("test")
    assert (*train.classes,) == TRAIN
    assert (*test.classes,) == TEST
    assert [task.number for task in train.tasks] == [*range(50)] * 2
    assert not goals(train) & goals(test)


@pytest.mark.usefixtures("stub")
def test_what_it_refuses(monkeypatch):
    with pytest.raises(BadInput, match=r"no task 'reach'; it has \['reach-v3'"):
        ml1("reach")
    with pytest.raises(BadInput, match="give 'train' or 'test'"):
        ml10("validation")
    env = ml10().make()
    with pytest.raises(BadInput, match="one of \\['reach-v3', 'push-v3'\\]"):
        env.unwrapped.set_task(ml10("test").tasks[0])
    with pytest.raises(QuickstudyError, match=r"\(no OpenGL\); .* set MUJOCO_GL=egl"):
        env.unwrapped.render()
    monkeypatch.setitem(sys.modules, "metaworld", None)
    with pytest.raises(QuickstudyError, match=r"pip install 'quickstudy\[metaworld\]'"):
        ml10()


@pytest.mark.usefixtures("stub")
def test_copies_change_arms_with_their_tasks():
    """Rewards are those of each copy's own task, in every episode, whatever was met before."""
    before = len(StubArm.opened)
    host = ml10().hosted(6)
    assert HostFamily(host).horizon == 5
    for seed in (0, 1):
        assert host.begin(seed).shape == (6, 39)
        assert len({task.name for task in host.tasks}) == 2
        action = np.full((6, 4), 0.25, np.float32)
        steps = [host.step(action) for _ in range(11)]
        told = [pickle.loads(task.task.data)["rand_vec"] for task in host.tasks]
        expected = [10 - np.abs(0.25 - goal).sum() for goal in told]
        for step in steps:
            np.testing.assert_allclose(step.reward, expected, rtol=1e-6)
        assert [bool(step.truncated.all()) for step in steps] == [False, False, False, False, True,
            False, False, False, False, True, False]  # fmt: skip
        assert not any(step.terminated.any() for step in steps)
    used = [env.unwrapped.arm for env in host.environments]
    assert len(set(map(id, used))) == 6, "none is shared by two at once"
    assert len(StubArm.opened) - before < 2 * 6, "handed on, not made for every name"
    host.close()
    assert all(made.closed for made in StubArm.opened[before:])
    assert host.begin(2).shape == (6, 39)
    host.close()
    assert all(made.closed for made in StubArm.opened[before:])


@pytest.mark.usefixtures("stub")
def test_gymnasium_can_play_it_alone():
    env = ml1("push-v3").make()
    first, _ = env.reset(seed=3)
    assert first.dtype == np.float32
    assert env.unwrapped.task == ml1("push-v3").sample_task(np.random.default_rng(3))
    assert "task=" not in repr(env.unwrapped.task)


def on(split, **settings):
    return MetaWorldFamily(**settings).family(split)


@pytest.mark.parametrize("method", ["maml", "rl2"])
@pytest.mark.usefixtures("stub")
def test_recipes_train_with_some_goals_and_test_with_others(method, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.metadata.version", lambda package: "of a stub")
    own = {
        "maml": ["--trajectories", "2", "--updates", "1"],
        "rl2": ["--width", "8", "--parts", "1", "--trial-episodes", "2"],
    }[method]
    few = ["--steps", "1", "--meta-batch", "4", "--validation-episodes", "2", "--no-test"]
    run = str(tmp_path / "run")
    main(["train", f"{method}-metaworld", "--thing", "push-v3", *few, *own, "--run", run])
    few = {"maml": ["--scored-trajectories", "1"], "rl2": []}[method]
    main(["evaluate", run, "--episodes", "2", *few])
    assert "successes" in capsys.readouterr().out
    scored = "1-scored-trajectories-" if method == "maml" else ""
    file = tmp_path / "run" / f"evaluation-test-{scored}2-episodes.json"
    found = json.loads(file.read_text())
    assert [one["mean"] for one in found["policy"]["successes"]] == [1, 1]
    assert found["references"]["random"]["successes"]
    assert found["environment"] == "Meta-World of a stub, ML1 push-v3"
    mean = found["policy"]["episodes"][0]["mean"]
    assert 5 * 5 < mean < 5 * 10  # five steps that pay at most ten each, whatever is done


@pytest.mark.usefixtures("stub")
def test_splits_have_goals_of_their_own():
    train, valid, test = (on(split, thing="push-v3") for split in SPLITS)
    assert goals(train) == goals(valid)
    assert not goals(train) & goals(test)
    for benchmark in ("ml10", "ml45"):
        many = [(*on(split, benchmark=benchmark).classes,) for split in ("train", "test")]
        assert many == [TRAIN, TEST]
    assert goals(ml45()) == goals(ml10())


needs_package = pytest.mark.skipif(
    "not __import__('importlib').util.find_spec('metaworld')", reason="metaworld is not installed"
)


@needs_package
def test_the_package_itself():
    """ML1: goals hidden, disjoint, paid for; the same episode again after another one."""
    train, test = ml1("reach-v3"), ml1("reach-v3", "test")
    assert train.horizon == 500
    assert not goals(train) & goals(test)
    host = train.hosted(2)
    first = host.begin(0, each=2)
    assert first.shape == (2, 39)
    assert not first[:, -3:].any()
    np.testing.assert_array_equal(first[0], first[1])
    toward = np.zeros((2, 4), np.float32)
    toward[0] = 1.0, 0.0, 0.0, 0.0
    step = [host.step(toward) for _ in range(10)][-1]
    assert step.observation[0, 0] > step.observation[1, 0] + 0.02  # x of the hand
    assert (step.reward > 0).all()
    assert (step.reward <= 10).all()
    host.close()


@needs_package
def test_the_package_has_ten_and_five():
    train, test = ml10(), ml10("test")
    assert (len(train.classes), len(test.classes)) == (10, 5)
    assert not train.classes.keys() & test.classes.keys()
    assert (len(train.tasks), len(test.tasks)) == (500, 250)


@needs_package
def test_the_package_in_processes():
    arms: RobotTasks = ml1("push-v3")
    made = (arms.make, arms.sample_task, arms.set_task, 2, arms.horizon)
    workers, alone = HostWorkers(*made, processes=2), arms.hosted(2)
    try:
        np.testing.assert_array_equal(workers.begin(0), alone.begin(0))
        action = np.full((2, 4), 0.5, np.float32)
        np.testing.assert_array_equal(workers.step(action).reward, alone.step(action).reward)
    finally:
        workers.close()
