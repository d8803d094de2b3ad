"""Levers to be held at an unknown angle: one family that keeps its contract, and many that break
it in one thing each. They are classes of a module, as families of one's own are."""

import random

import gymnasium
import numpy as np

ANGLE = [0.0]


class LeverEnv(gymnasium.Env):
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    angle = 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        reward = -abs(float(action[0]) - float(np.ravel(self.angle)[0]))
        return np.asarray(action, np.float32), reward, False, False, {}


class Lever:
    horizon = 5
    env = LeverEnv

    def make(self):
        return self.env()

    def sample_task(self, rng):
        return rng.uniform(-1.0, 1.0)

    def set_task(self, env, task):
        env.unwrapped.angle = task


class Wrapped(Lever):
    def make(self):
        return gymnasium.wrappers.TimeLimit(LeverEnv(), 5)

    def set_task(self, env, task):
        env.angle = task


class Misspelt(Lever):
    def set_task(self, env, task):
        env.unwrapped.angel = task


class OneTask(Lever):
    def sample_task(self, rng):
        return 0.5


class Normalized(Lever):
    def make(self):
        return gymnasium.wrappers.NormalizeReward(LeverEnv())


class Redrawn(Lever):
    class env(LeverEnv):  # noqa: N801
        def reset(self, *, seed=None, options=None):
            found = super().reset(seed=seed)
            self.angle = self.np_random.uniform(-1.0, 1.0)
            return found


class RedrawnLater(Lever):
    class env(LeverEnv):  # noqa: N801
        episodes = 0

        def reset(self, *, seed=None, options=None):
            found = super().reset(seed=seed)
            self.episodes = 0 if seed is not None else self.episodes + 1
            if self.episodes > 1:
                self.angle = self.np_random.uniform(-1.0, 1.0)
            return found


class SharedByTheClass(Lever):
    def set_task(self, env, task):
        type(env.unwrapped).angle = task


class SharedByTheModule(Lever):
    class env(LeverEnv):  # noqa: N801
        angle = property(lambda self: ANGLE[0])

    def set_task(self, env, task):
        ANGLE[0] = task


class SharedRandomNumbers(Lever):
    class env(LeverEnv):  # noqa: N801
        def reset(self, *, seed=None, options=None):
            if seed is not None:
                random.seed(seed)
            return super().reset(seed=seed)

        def step(self, action):
            seen, reward, *rest = super().step(action)
            return seen, reward + random.random(), *rest


class Seedless(Lever):
    class env(LeverEnv):  # noqa: N801
        def step(self, action):
            seen, reward, *rest = super().step(action)
            return seen, reward + random.random(), *rest


class SeedlessTasks(Lever):
    def sample_task(self, rng):
        return random.uniform(-1.0, 1.0)


class Remembering(Lever):
    class env(LeverEnv):  # noqa: N801
        steps = 0

        def step(self, action):
            self.steps += 1
            seen, reward, *rest = super().step(action)
            return seen, reward + self.steps, *rest


class Aim:
    """Is known by what it is, so that nobody copies it."""

    def __init__(self, angle):
        self.angle = angle

    def __deepcopy__(self, memo):
        return self


class Drifting(Lever):
    """The task is an object, which a step changes."""

    class env(LeverEnv):  # noqa: N801
        def step(self, action):
            self.aim.angle += 0.01
            self.angle = self.aim.angle
            return super().step(action)

    def sample_task(self, rng):
        return Aim(rng.uniform(-1.0, 1.0))

    def set_task(self, env, task):
        env.unwrapped.aim = task


class DriftingForAll(Drifting):
    """And every draw gives the same objects."""

    aims = tuple(map(Aim, np.linspace(-1, 1, 9)))

    def sample_task(self, rng):
        return self.aims[rng.integers(9)]


class NoReward(Lever):
    class env(LeverEnv):  # noqa: N801
        def step(self, action):
            seen, _, *rest = super().step(action)
            return seen, None, *rest


class FarOutside(Lever):
    class env(LeverEnv):  # noqa: N801
        def step(self, action):
            _, *rest = super().step(action)
            return np.full(1, 250.0, np.float32), *rest


class StaysOpen(Lever):
    class env(LeverEnv):  # noqa: N801
        def close(self):
            raise OSError("still busy")


class NoLicence(Lever):
    def make(self):
        raise RuntimeError("no licence")


class NoTasks(Lever):
    def sample_task(self, rng):
        raise LookupError("none left")


class Rare(Lever):
    """One angle in a hundred thousand pays."""

    class env(LeverEnv):  # noqa: N801
        def step(self, action):
            seen, reward, *rest = super().step(action)
            return seen, float(reward > -1e-5), *rest


class Late(Lever):
    """Nothing is paid for the first 90 steps."""

    horizon = 100

    class env(LeverEnv):  # noqa: N801
        def reset(self, *, seed=None, options=None):
            self.time = 0
            return super().reset(seed=seed)

        def step(self, action):
            self.time += 1
            seen, reward, *rest = super().step(action)
            return seen, reward if self.time > 90 else 0.0, *rest
