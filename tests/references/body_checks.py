"""What every family of bodies is held to: a simulator stepped by hand, and its definitions."""

from pathlib import Path

import numpy as np
import pytest

from references.bodies import FAMILIES, mujoco

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


def demand_what_is_stepped_by_hand(name):
    """Rewards and observations are those of a simulator stepped by hand."""
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


def unevenness(x, low, high):
    """The largest distance of the distribution of x from U[low, high]'s (Kolmogorov), in units of
    what one of a thousand fair samples exceeds."""
    found = (np.sort(x) - low) / (high - low)
    wanted = (np.arange(len(x)) + 0.5) / len(x)
    return np.abs(found - wanted).max() / (1.95 / len(x) ** 0.5)


def demand_spread_tasks(name):
    """Goals evenly over a disc's area, whose radii are not even: r² is; directions over angles."""
    rng = np.random.default_rng(0)
    tasks = np.array([FAMILIES[name].sample_task(rng) for _ in range(4000)])
    for x, low, high in evenly(name, tasks):
        assert unevenness(x, low, high) < 1


def evenly(name, tasks):
    """What of those tasks is uniform, and between what."""
    kind, aim, version = name.split()
    if aim == "velocity":
        return [(tasks, 0.0, 2.0 if version == "maml" else 3.0)]
    if aim == "direction" and (kind, version) != ("ant", "pearl"):
        ways = tasks if kind == "cheetah" else tasks[:, 0]
        assert {*ways} == {-1.0, 1.0}
        assert abs(ways.mean()) < 3.3 / len(ways) ** 0.5
        assert kind == "cheetah" or not tasks[:, 1].any()
        return []
    if version == "maml":
        return [(x, -3.0, 3.0) for x in tasks.T]
    squares = np.sum(tasks**2, -1)
    angles = (np.arctan2(tasks[:, 1], tasks[:, 0]), -np.pi, np.pi)
    if aim == "goal":
        return [(squares, 0.0, 9.0), angles]
    np.testing.assert_allclose(squares, 1.0)
    return [angles]


def demand_spread_starts(name):
    """Noise has the deviation of its definition, and no more reach."""
    env, version = FAMILIES[name].make(), name.split()[2]
    env.reset(seed=0)
    starts = np.array([(env.reset(), env.body.data.qpos.copy())[1] for _ in range(300)])
    speeds = np.array([(env.reset(), env.body.data.qvel.copy())[1] for _ in range(300)])
    expected, apart = {"maml": 0.01}.get(version, 0.1 / np.sqrt(3)), starts - starts.mean(0)
    assert apart.std() == pytest.approx(expected, rel=0.06)
    assert speeds.std() == pytest.approx(0.1, rel=0.06)
    assert version == "maml" or np.abs(apart).max() <= 0.12
