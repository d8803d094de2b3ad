"""A family whose simulator may be open a few times at once, as one that has a port of its own."""

SOURCE = """
import os
import gymnasium
import numpy as np
from pathlib import Path

FOLDER, MOST = Path({folder!r}), {most}


class Simulator(gymnasium.Env):
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    task = 0.0

    def __init__(self):
        self.port = next(filter(self.taken, range(MOST)), None)
        if self.port is None:
            raise RuntimeError("every port is taken")
        with open(FOLDER / "opened.txt", "a") as log:
            log.write(f"{{os.getpid()}}\\n")

    def taken(self, port):
        try:
            os.close(os.open(FOLDER / f"{{port}}.port", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {{}}

    def step(self, action):
        if self.task > {broken}:
            raise ValueError("the simulator broke")
        paid = -abs(float(action[0]) - self.task)
        return np.asarray(action, np.float32), paid, False, False, {{}}

    def render(self):
        return np.zeros((8, 8, 3), np.uint8)

    def close(self):
        (FOLDER / f"{{self.port}}.port").unlink()


class Simulated:
    horizon = 3

    def make(self):
        return Simulator()

    def sample_task(self, rng):
        return rng.uniform(-1.0, 1.0)

    def set_task(self, env, task):
        env.unwrapped.task = task
"""


def simulated(folder, name, most, broken=2):
    """What `--on` is given for the family; its file's name must be new in the process."""
    (folder / f"{name}.py").write_text(SOURCE.format(folder=str(folder), most=most, broken=broken))
    return f"{folder / name}.py:Simulated"


def opened(folder):
    """In which processes it was opened so far, in turn."""
    file = folder / "opened.txt"
    return file.read_text().split() if file.exists() else []


def still_open(folder):
    """The ports that are taken."""
    return sorted(folder.glob("*.port"))
