"""Host environments for processes of their own: what they need can be imported there."""

import os
import signal
import time

import gymnasium
import numpy as np


def make():
    return gymnasium.make("CartPole-v1")


def sample_task(rng):
    return rng.uniform(0.25, 1.0)


def set_task(env, length):
    env.unwrapped.length = length


class Fragile(gymnasium.Env):
    """Action 1 kills its process, action 2 never comes back, action 3 is an error."""

    action_space = gymnasium.spaces.Discrete(4)
    observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        if action == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if action == 2:
            time.sleep(600)
        if action == 3:
            raise ValueError("it broke")
        return np.zeros(1, np.float32), 0.0, False, False, {}
