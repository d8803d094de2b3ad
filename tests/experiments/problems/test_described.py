"""Policies are loaded and act where the code of their environments is not."""

import sys

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.experiments.recipes import find_recipe
from quickstudy.experiments.saved import export, load, opened
from quickstudy.testing.comparing import same_bits
from references.own_code import forget

pytest.importorskip("gymnasium")

SEEN = '''
import gymnasium
import numpy as np


class Switches(gymnasium.Env):
    """Which of four switches, counted from 2, is on? All are seen, and a picture of nothing."""

    action_space = gymnasium.spaces.Discrete(4, start=2)
    observation_space = gymnasium.spaces.Dict(
        {
            "lamp": gymnasium.spaces.Discrete(2),
            "dial": gymnasium.spaces.Box(0.0, np.inf, (2,), np.float64),
        }
    )
    switch = 2

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"lamp": 0, "dial": self.np_random.uniform(size=2)}, {}

    def step(self, action):
        lit = int(action == self.switch)
        return {"lamp": lit, "dial": self.np_random.uniform(size=2)}, lit, False, False, {}


class Family:
    horizon = 4

    def make(self):
        return Switches()

    def sample_task(self, rng):
        return int(rng.integers(2, 6))

    def set_task(self, env, task):
        env.unwrapped.switch = task
'''


def test_a_run_of_one_s_own_is_loaded_without_its_code(tmp_path):
    (tmp_path / "switches.py").write_text(SEEN)
    named, run = f"{tmp_path / 'switches.py'}:Family", tmp_path / "run"
    small = "--width 4 --minibatches 1 --epochs 1 --steps 2 --meta-batch 2 --no-test"
    few = "--validate-every 2 --validation-episodes 2"
    main(f"train rl2 --on {named} {small} {few} --run {run}".split())
    mine, file = load(run, recipe=named), tmp_path / "policy.safetensors"
    main(f"export {run} {file} --recipe {named}".split())
    forget(tmp_path)
    (tmp_path / "switches.py").unlink()
    with pytest.raises(qs.BadInput, match="code of your own"):
        opened(file)
    for path in (run, file):
        policy = load(path)
        assert same_bits(policy, mine)
        assert policy.interface == mine.interface
        agent = policy.agent(greedy=True)
        action = agent.reset({"lamp": 0, "dial": np.zeros(2)})
        assert action in range(2, 6)
        assert action == mine.agent(greedy=True).reset({"lamp": 0, "dial": np.zeros(2)})
        with pytest.raises(qs.BadInput, match="parts"):
            agent.act({"lamp": 0}, 0.0, False, False)


def test_mujoco_s_is_loaded_without_mujoco(tmp_path, monkeypatch):
    pytest.importorskip("mujoco")
    recipe = find_recipe("rl2-cheetah").prepared()
    file, policy = tmp_path / "cheetah.safetensors", recipe.learner()
    export(policy, file, recipe)
    for module in [name for name in sys.modules if name.partition(".")[0] == "mujoco"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    found = load(file)
    assert same_bits(found, policy)
    assert found.agent().reset(np.zeros(policy.interface.observation_shape)).shape == (6,)
