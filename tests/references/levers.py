"""A lever that must be held at an unknown angle: continuous actions, and no episode ends early."""

import gymnasium
import numpy as np

HORIZON = 5


class Lever(gymnasium.Env):
    """The nearer to the right angle, the better; what is seen is where it was held."""

    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    angle = 0.0

    def hold(self, angle):
        self.angle = angle

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        reward = -abs(float(action[0]) - self.angle)
        return np.asarray(action, np.float32), reward, False, False, {}


class FarLever(Lever):
    """The same, far from zero, and paid in thousands."""

    observation_space = gymnasium.spaces.Box(0.0, 2000.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        observation, info = super().reset(seed=seed)
        return 1000 + observation, info

    def step(self, action):
        observation, reward, *rest = super().step(action)
        return 1000 + observation, 1000 * reward, *rest
