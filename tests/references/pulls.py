"""A family of one-step MDPs in plain Python: a Bernoulli bandit as a `gymnasium.Env`."""

import gymnasium
import numpy as np


class Pulls(gymnasium.Env):
    """Pull one of the arms; an episode is one pull. The task is the arms' probabilities."""

    def __init__(self, arms=3):
        self.action_space = gymnasium.spaces.Discrete(arms)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
        self.task = None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        paid = float(self.np_random.random() < self.task[action])
        return np.zeros(1, np.float32), paid, True, False, {}


def sample_task(rng):
    """One arm pays nearly always, the others hardly ever."""
    return np.where(np.arange(3) == rng.integers(3), 0.95, 0.05)


def set_task(env, task):
    env.task = task
