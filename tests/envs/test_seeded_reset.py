"""The first reset: with a seed, and without a task unless it needs one."""

import numpy as np
import pytest

from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.seeded_reset import SeededReset
from quickstudy.envs.vector import HostVector
from quickstudy.errors import QuickstudyError

pytest.importorskip("gymnasium")
import gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv


class Begins(gymnasium.Env):
    """Shows so many numbers of its own as its task says, and has no task from the beginning."""

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(-9.0, 9.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.np_random.normal(size=self.count)[-1:].clip(-9, 9), {}

    def step(self, action):
        return np.zeros(1, np.float32), float(self.count), False, False, {}


def count(env, task):
    env.unwrapped.count = task


def each(vector, tasks):
    for env, task in zip(vector.envs, tasks, strict=True):
        count(env, task)


def draw(rng):
    return int(rng.integers(1, 9))


def vector():
    return SyncVectorEnv([Begins] * 3, autoreset_mode=AutoresetMode.DISABLED)


@pytest.mark.parametrize(
    "host",
    [
        lambda: HostEnvironment(Begins, draw, count, 3, 5),
        lambda: HostVector(vector, draw, each, 3, 5),
    ],
    ids=["environment", "vector"],
)
def test_a_reset_that_reads_the_task_has_it_and_draws_the_same_ever_after(host):
    with host() as used, host() as new:
        used.begin(0)
        assert len({*used.tasks}) > 1
        used.step(np.zeros(3, int))
        np.testing.assert_array_equal(used.begin(7), new.begin(7))
        assert used.step(np.zeros(3, int)).reward.tolist() == used.tasks


def test_a_task_that_can_only_be_set_after_a_reset_is_set_once():
    calls = []

    def set_task():
        calls.append("set_task")
        raise AttributeError("no state yet")

    seeded = SeededReset()
    seeded(lambda: calls.append("reset"), set_task)
    assert calls == ["reset"]
    assert not seeded.needs_task


def test_the_failure_that_tells_more_is_raised():
    def reset():
        raise KeyError("mine")

    def set_task():
        raise AttributeError("no state yet")

    def lost():
        raise QuickstudyError("set_task wrote to the wrapper")

    with pytest.raises(KeyError, match="mine"):
        SeededReset()(reset, set_task)
    with pytest.raises(QuickstudyError, match="to the wrapper"):
        SeededReset()(reset, lost)
    with pytest.raises(KeyError, match="mine"):
        SeededReset()(reset, lambda: None)
