"""MuJoCo families against a simulator stepped by hand, and a clear word where it is missing."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs.environment import Continuous
from quickstudy.envs.mujoco import family as family_module
from quickstudy.envs.mujoco.ant import ant
from quickstudy.envs.mujoco.body import load_model
from quickstudy.envs.mujoco.camera import Camera
from quickstudy.envs.mujoco.cheetah import cheetah
from references.bodies import FAMILIES, mujoco, needs_mujoco

SIZES = {
    "cheetah maml": 20,
    "cheetah promp": 17,
    "cheetah pearl": 20,
    "cheetah varibad": 20,
    "ant maml": 125,
    "ant direction pearl": 27,
    "ant goal pearl": 113,
}
STEPS = 8


class ByHand:
    """Gymnasium's own environment's model and data, stepped one engine step at a time."""

    def __init__(self, name):
        gymnasium = pytest.importorskip("gymnasium")
        kind, self.aim, self.version = name.split()
        xml = {"cheetah": "half_cheetah.xml", "ant": "ant.xml"}[kind]
        folder = Path(gymnasium.__path__[0])
        text = (folder / "envs" / "mujoco" / "assets" / xml).read_text("utf-8")
        # MuJoCo warns of the attribute; what it did is done below, as the warning says.
        self.model = mujoco.MjModel.from_xml_string(text.replace('settotalmass="14"', ""))
        if kind == "cheetah":
            mujoco.mj_setTotalmass(self.model, 14.0)
            mujoco.mj_setConst(self.model, mujoco.MjData(self.model))
        if name in ("ant direction maml", "ant goal maml"):
            self.model.opt.timestep = 0.02
            self.model.geom_solimp[:, :3] = [0.8, 0.8, 0.01]
        self.kind, self.data = kind, mujoco.MjData(self.model)
        self.skip = 1 if self.version == "maml" else 5

    def place(self, data):
        self.data.qpos[:], self.data.qvel[:] = data.qpos, data.qvel
        self.data.qacc_warmstart[:] = data.qacc_warmstart

    def after(self, action):
        self.old = self.data.qpos.copy()
        self.data.ctrl[:] = action
        for _ in range(self.skip):
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)
        mujoco.mj_rnePostConstraint(self.model, self.data)

    def centre_velocity(self):
        """rllab's `comvel`: the mean of the parts' velocities, weighted by mass."""
        momentum, each = np.zeros(3), np.zeros(6)
        for part in range(1, self.model.nbody):
            kind = mujoco.mjtObj.mjOBJ_BODY
            mujoco.mj_objectVelocity(self.model, self.data, kind, part, each, 0)
            momentum += self.model.body_mass[part] * each[3:]
        return momentum / self.model.body_mass.sum()

    def reward(self, action, task):
        square, qpos = np.sum(action**2), self.data.qpos
        if self.version == "maml":
            speed = self.centre_velocity()
            place = self.model.body_mass @ self.data.xipos / self.model.body_mass.sum()
        else:
            speed = (qpos - self.old) / (5 * 0.01)
            place = qpos
        if self.kind == "cheetah":
            run = {"velocity": -abs(speed[0] - task), "direction": task * speed[0]}
            return run[self.aim] - 0.05 * square
        touch = 0.0005 * np.sum(np.clip(self.data.cfrc_ext, -1, 1) ** 2)
        assert self.data.ncon == 0 or touch > 0
        gain = {
            "direction": speed[0] * task[0] + speed[1] * task[1],
            "goal": -abs(place[0] - task[0]) - abs(place[1] - task[1]),
        }[self.aim]
        effort, extra = {
            ("direction", "maml"): (0.005, 0.05),
            ("goal", "maml"): (0.005, 4.05),
            ("direction", "pearl"): (0.5, 1.0),
            ("goal", "pearl"): (0.1, 0.0),
        }[self.aim, self.version]
        return gain - effort * square - touch + extra

    def observation(self):
        data = self.data
        touch = np.clip(data.cfrc_ext, -1, 1).ravel()
        centre = self.model.body_mass @ data.xipos / self.model.body_mass.sum()
        if self.kind == "cheetah":
            torso = [data.body("torso").xpos]
            extra = {"maml": [centre], "promp": [], "pearl": torso, "varibad": torso}
            return np.concatenate([data.qpos[1:], data.qvel, *extra[self.version]])
        if self.version == "maml":
            matrix = data.body("torso").xmat
            return np.concatenate([data.qpos, data.qvel, touch, matrix, centre])
        goal = self.aim == "goal"
        seen = [data.qpos, data.qvel, touch] if goal else [data.qpos[2:], data.qvel]
        return np.concatenate(seen)


@needs_mujoco
@pytest.mark.parametrize("name", FAMILIES)
def test_rewards_and_observations_are_those_of_a_simulator_stepped_by_hand(name):
    env, hand = FAMILIES[name].make(), ByHand(name)
    rng = np.random.default_rng(0)
    for seed in (0, 1):
        env.reset(seed=seed)
        for _ in range(STEPS):
            action = rng.uniform(-1.5, 1.5, env.action_space.shape)
            hand.place(env.unwrapped.body.data)
            observation, reward, terminated, truncated, _ = env.step(action)
            hand.after(np.clip(action, -1, 1))
            np.testing.assert_allclose(observation, hand.observation(), rtol=1e-4, atol=1e-5)
            assert reward == pytest.approx(hand.reward(np.clip(action, -1, 1), env.task), abs=1e-6)
            assert not truncated
            if terminated:
                break


@needs_mujoco
@pytest.mark.parametrize("name", FAMILIES)
def test_a_seed_decides_task_and_start_and_a_reset_without_keeps_the_task(name):
    one, other = FAMILIES[name].make(), FAMILIES[name].make()
    first = one.reset(seed=3)[0]
    kind, aim, version = name.split()
    assert first.shape == (SIZES.get(name) or SIZES[f"{kind} {version}"],)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, other.reset(seed=3)[0])
    np.testing.assert_array_equal(one.task, other.task)
    task, second = one.task, one.reset()[0]
    np.testing.assert_array_equal(one.task, task)
    assert (second != first).any()
    tasks = [FAMILIES[name].sample_task(np.random.default_rng(i)) for i in range(200)]
    different = {tuple(np.ravel(each)) for each in tasks}
    assert len(different) == (
        2 if aim == "direction" and (kind, version) != ("ant", "pearl") else 200
    )


@needs_mujoco
def test_episodes_end_at_the_horizon_or_where_an_ant_falls():
    env = FAMILIES["cheetah direction maml"].make()
    env.reset(seed=0)
    ends = [env.step(np.zeros(6))[2:4] for _ in range(200)]
    assert ends == [(False, False)] * 199 + [(False, True)]
    with pytest.raises(BadInput, match="no episode is going on"):
        env.step(np.zeros(6))
    falling = {"ant goal maml": True, "ant direction pearl": True, "ant goal pearl": False}
    for name, falls in falling.items():
        env = FAMILIES[name].make()
        for height, outside in ((0.19, True), (0.21, False), (0.99, False), (1.01, True)):
            env.body.data.qpos[2] = height  # not stepped: the ground would push a low one up
            assert env.family.ended(env.body) == (falls and outside), (name, height)
        for height, outside in ((1.2, True), (0.5, False)):
            env.reset(seed=0)
            env.body.data.qpos[2], env.body.data.qvel[:] = height, 0
            assert env.step(np.zeros(8))[2] == (falls and outside), (name, height)


@needs_mujoco
def test_the_models_are_gymnasiums_and_loading_says_and_writes_nothing(tmp_path):
    program = (
        "from quickstudy.envs.mujoco.cheetah import cheetah\n"
        "from quickstudy.envs.mujoco.ant import ant\n"
        "cheetah('velocity', 'maml').make().reset(seed=0)\n"
        "ant('goal', 'maml').make().reset(seed=0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
    model = load_model("half_cheetah.xml")
    assert model.body_mass.sum() == pytest.approx(14.0, abs=1e-9)
    assert load_model("ant.xml").opt.timestep == 0.01
    assert FAMILIES["ant goal maml"].make().body.model.opt.timestep == 0.02
    with pytest.raises(BadInput, match=r"no model 'dog.xml'; it has \['ant.xml'"):
        load_model("dog.xml")


@needs_mujoco
def test_copies_on_the_host_have_tasks_of_their_own():
    hosts = FAMILIES["cheetah velocity promp"].hosted(copies=3)
    assert hosts.actions == Continuous(6, 1.0)
    first = hosts.begin(seed=5)
    assert first.shape == (3, 17)
    assert len(set(hosts.tasks)) == 3
    assert [env.unwrapped.task for env in hosts.environments] == hosts.tasks
    step = hosts.step(np.zeros((3, 6)))
    np.testing.assert_allclose(step.reward, np.negative(hosts.tasks), atol=1.0)
    np.testing.assert_array_equal(hosts.begin(seed=5), first)


@needs_mujoco
def test_wrong_input_is_refused():
    with pytest.raises(BadInput, match="version is 'rl2'"):
        cheetah("velocity", "rl2")
    with pytest.raises(BadInput, match="aim is 'goal'"):
        cheetah("goal", "maml")
    with pytest.raises(BadInput, match="'velocity', 'maml'"):
        ant("velocity", "maml")
    family = FAMILIES["ant goal pearl"]
    with pytest.raises(BadInput, match="render_mode is 'human'"):
        family.make("human")
    env = family.make()
    with pytest.raises(BadInput, match=r"the task is 1\.0"):
        env.set_task(1.0)
    env.reset(seed=0)
    with pytest.raises(BadInput, match=r"shape is \(3,\); give \(8,\)"):
        env.step(np.zeros(3))


@needs_mujoco
def test_frames_show_the_body_that_moves(monkeypatch):
    env = FAMILIES["cheetah velocity promp"].make("rgb_array")
    env.reset(seed=0)
    try:
        before = env.render()
    except QuickstudyError as error:
        pytest.skip(f"this machine cannot draw: {error}")
    assert (before.shape, before.dtype) == ((240, 320, 3), np.uint8)
    for _ in range(5):
        env.step(np.ones(6))
    after = env.frame()
    assert 0.001 < np.mean(before != after) < 0.9
    assert before[:40].std() < before[120:].std()  # the sky is above, the chequered floor below
    env.close()
    assert FAMILIES["cheetah velocity promp"].make().render() is None


@needs_mujoco
def test_what_cannot_draw_says_what_to_install(monkeypatch):
    model = load_model("half_cheetah.xml")
    monkeypatch.setenv("MUJOCO_GL", "crayons")
    with pytest.raises(BadInput, match="MUJOCO_GL is 'crayons'"):
        Camera(model)
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    monkeypatch.setitem(sys.modules, "mujoco.glfw", None)
    with pytest.raises(QuickstudyError, match=r"cannot draw with glfw .* set MUJOCO_GL"):
        Camera(model)


@needs_mujoco
def test_the_example_runs():
    """The common test of examples leaves it out, for MuJoCo is optional."""
    text = family_module.Family.__doc__.replace("  # doctest: +SKIP", "")
    names = dict(vars(family_module))
    test = doctest.DocTestParser().get_doctest(text, names, "Family", None, 0)
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed == 0


def test_without_mujoco_all_imports_and_a_message_says_what_to_install():
    program = (
        "import sys; sys.modules['mujoco'] = None\n"
        "from quickstudy.envs.mujoco.cheetah import cheetah\n"
        "cheetah('velocity', 'maml').make()"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.strip().endswith("pip install 'quickstudy[mujoco]'")
