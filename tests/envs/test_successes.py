"""Success at any step of an episode, by episode and by trajectory."""

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.door import success_in
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.envs.successes import Successes
from quickstudy.evaluation.measured import Returns
from quickstudy.evaluation.trials import acting
from quickstudy.rl.rl2 import trial_episodes

pytest.importorskip("gymnasium")
import gymnasium

from references import pulls

KEY = jax.random.key(0)


class Lucky(gymnasium.Env):
    """Succeeds at the second of three steps, in every other episode; says so by that name."""

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)

    def __init__(self, name="success"):
        self.name, self.episode, self.time = name, 0, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.time = 0 if seed is not None else self.episode + 1, 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.time += 1
        told = {self.name: bool(self.time == 2 and self.episode % 2)}
        return np.zeros(1, np.float32), 1.0, False, False, told


def trial(name, copies=2, episodes=3):
    host = HostEnvironment(lambda: Lucky(name), lambda rng: 0, lambda env, task: None, copies, 3)
    return qs.Trial(HostFamily(host), episodes)


@pytest.mark.parametrize("name", ["success", "is_success"])
def test_by_episode_and_at_any_step(name):
    lucky = trial(name)
    found = trial_episodes(qs.Random(lucky.environment), lucky, KEY, 5)
    assert found.successes.tolist() == [[1, 0, 1]] * 5
    assert found.lengths.shape == (5, 3)
    returns = Returns.of(acting(qs.Random(lucky.environment), lucky)(KEY, 5))
    assert [one.mean for one in returns.successes] == [1, 0, 1]


def test_by_trajectory_of_each_update():
    host = trial("success", copies=4).environment.host
    noted = Successes(host)
    for first in (0, 2):
        for visit in range(2):
            noted.begin(0, first, 2, visit)
            for _ in range(3):
                noted.step(np.zeros(4, int))
    found = noted.of_updates(3, stages=2, k=2)
    assert found.shape == (3, 2, 2)
    assert found.all()


def test_what_is_not_told_is_not_there():
    host = HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task, 2, horizon=1)
    silent = qs.Trial(HostFamily(host), 2)
    found = trial_episodes(qs.Random(silent.environment), silent, KEY, 3)
    assert found.successes is None
    assert Returns.of(found).successes == ()
    assert np.isnan(success_in(None))
    with pytest.raises(qs.BadInput, match="success"):
        success_in({"success": "yes"})
