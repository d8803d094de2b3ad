"""Families in every space: a hidden target is to be found, in the terms of the actions."""

import copy

import numpy as np
from gymnasium import Env
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple

PIXELS = Box(0, 255, (12, 10, 3), np.uint8)
LOW, HIGH = np.array([[0.0, -2.0], [5.0, -1.0]]), np.array([[1.0, 6.0], [9.0, 1.0]])
ACTIONS = {
    "discrete": Discrete(3, start=2),
    "box": Box(-1.0, 1.0, (2,)),
    "bounds": Box(LOW.astype(np.float32), HIGH.astype(np.float32)),
    "integers": Box(0, 4, (2,), np.int64),
    "choices": MultiDiscrete([3, 2]),
    "binary": MultiBinary([2, 2]),
}
OBSERVATIONS = {
    "number": Discrete(3, start=1),
    "numbers": MultiDiscrete([[2, 3]]),
    "bits": MultiBinary(3),
    "parts": Dict({"a": Discrete(2), "b": Tuple((Box(-1.0, 1.0, (2, 2)), MultiBinary(2)))}),
    "pixels": PIXELS,
    "grey": Box(0, 255, (9, 8), np.uint8),
    "frames": Box(0, 255, (4, 12, 10), np.uint8),
    "both": Dict({"camera": PIXELS, "speed": Box(-1.0, 1.0, (2,))}),
}


class Find(Env):
    """The nearer an action is to the target, the better; what is seen says nothing."""

    def __init__(self, observation, action):
        # Spaces draw, too: what is drawn must be a copy's own.
        self.observation_space, self.action_space = map(copy.deepcopy, (observation, action))
        self.target = None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), f"{action!r} is not in {self.action_space}"
        far = np.mean(np.abs(np.asarray(action, float) - self.target))
        return self.observation_space.sample(), -float(far), False, False, {}

    def render(self):
        return np.full((20, 30, 3), 200, np.uint8)


class Finds:
    """Targets from the space of actions itself."""

    horizon = 3

    def __init__(self, observation, action):
        self.spaces = OBSERVATIONS[observation], ACTIONS[action]

    def make(self):
        return Find(*self.spaces)

    def sample_task(self, rng):
        space = copy.deepcopy(self.spaces[1])
        space.seed(int(rng.integers(2**31)))
        return np.asarray(space.sample(), float)

    def set_task(self, env, task):
        env.unwrapped.target = task


number, numbers = Finds("number", "bounds"), Finds("numbers", "integers")
bits, parts = Finds("bits", "binary"), Finds("parts", "choices")
pixels, grey = Finds("pixels", "discrete"), Finds("grey", "choices")
frames, both = Finds("frames", "box"), Finds("both", "bounds")
