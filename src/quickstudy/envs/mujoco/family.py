"""A family of tasks for one body, as Gymnasium's environment and as copies on the host."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from quickstudy.envs.gymnasium_env import TaskEpisodes, import_gymnasium, in_gymnasium
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.mujoco.body import Body
from quickstudy.envs.mujoco.camera import Camera
from quickstudy.errors import BadInput

BodyTask = Any
MODES = (None, "rgb_array")


def nothing(task: BodyTask) -> Float32[np.ndarray, "0"]:
    """The task is not told: it must be found out."""
    return np.zeros(0, np.float32)


def the_task(task: BodyTask) -> Float32[np.ndarray, " n"]:
    """The task itself, for a policy that is to know it: the oracle of MAML's paper."""
    return np.ravel(np.asarray(task, np.float32))


def never_ends(body: Body) -> bool:
    """Episodes last to the horizon."""
    return False


@dataclasses.dataclass(frozen=True)
class Family:
    """What a paper defines: a body, tasks for it, what they pay, and when an episode ends.

    The engine is the installed version of MuJoCo, in C on the CPU (MJX is not used, on a GPU
    neither), and the models of bodies are the installed Gymnasium's. Papers used engines of 2016 to
    2019 with other contact solvers: their returns can be compared with ours, but not to the last
    digit.

    Attributes:
        body: makes the body.
        sample_task: M_i ~ p(M), from a NumPy generator, which is consumed.
        reward: r(body after the step, action `[size]` within ± 1, task).
        ended: whether the episode is over by the family's own rules.
        horizon: H, the most steps of an episode.
        definition: its name and version; it changes with all that can move a score.
        tells: what of the task stands at the end of every observation.

    Example:
        >>> from quickstudy.envs.mujoco.cheetah import cheetah
        >>> run = cheetah("velocity", "promp")
        >>> env = run.make()  # doctest: +SKIP
        >>> observation, _ = env.reset(seed=0)  # doctest: +SKIP
        >>> run.set_task(env, 1.5)  # doctest: +SKIP
        >>> env.reset()[0].shape, env.step(np.zeros(6))[1] < -0.5  # doctest: +SKIP
        ((17,), True)
        >>> run.hosted(copies=4).begin(seed=0).shape  # doctest: +SKIP
        (4, 17)
    """

    body: Callable[[], Body]
    sample_task: Callable[[np.random.Generator], BodyTask]
    reward: Callable[[Any, np.ndarray, BodyTask], float]
    ended: Callable[[Any], bool]
    horizon: int
    definition: str
    tells: Callable[[BodyTask], np.ndarray] = nothing

    def make(self, render_mode: str | None = None) -> Any:
        """One `gymnasium.Env`, which truncates an episode at the horizon.

        `reset(seed=…)` draws a new task and everything random from the seed; `reset()` begins
        another episode in the same task.

        Args:
            render_mode: None, or "rgb_array" for `render()` to give `uint8 [height, width, 3]`.

        Raises:
            BadInput: another mode.
            QuickstudyError: MuJoCo or Gymnasium is not installed.
        """
        if render_mode not in MODES:
            raise BadInput(f"render_mode is {render_mode!r}; give one of {MODES}")
        return in_gymnasium(_Simulated)(self, render_mode)

    def set_task(self, env: Any, task: BodyTask) -> None:
        """Put an environment that `make` made into a task, from its next `reset()` on."""
        env.unwrapped.set_task(task)

    def hosted(self, copies: int) -> HostEnvironment:
        """Copies that are stepped together, each in a task of its own."""
        return HostEnvironment(self.make, self.sample_task, self.set_task, copies, self.horizon)


class _Simulated(TaskEpisodes):
    """A body, and a task for it."""

    def __init__(self, family: Family, render_mode: str | None) -> None:
        self.family, self.render_mode, self.body = family, render_mode, family.body()
        spaces, seen = import_gymnasium().spaces, self._observation(self._example())
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": round(1 / self.body.seconds),
        }
        self.observation_space = spaces.Box(-np.inf, np.inf, seen.shape, np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (self.body.model.nu,), np.float32)
        self.horizon = family.horizon
        self.camera: Camera | None = None

    def set_task(self, task: BodyTask) -> None:
        """Play in this task from the next `reset()` on."""
        example = self._example()
        if np.shape(task) != np.shape(example):
            raise BadInput(f"the task is {task!r}; give one as {example!r} is one")
        super().set_task(task)

    def draw(self) -> BodyTask:
        return self.family.sample_task(self.np_random)

    def begin(self) -> Float32[np.ndarray, " n"]:
        self.body.begin(self.np_random)
        return self._observation(self.task)

    def act(self, action: Any) -> tuple[Float32[np.ndarray, " n"], float, bool]:
        action = np.asarray(action, np.float64)
        action = np.minimum(np.maximum(action, -1.0), 1.0)  # np.clip takes twice as long
        if action.shape != self.action_space.shape:
            raise BadInput(f"the action's shape is {action.shape}; give {self.action_space.shape}")
        self.body.act(action)
        reward = float(self.family.reward(self.body, action, self.task))
        return self._observation(self.task), reward, bool(self.family.ended(self.body))

    def frame(self) -> UInt8[np.ndarray, "height width 3"]:
        """A picture of the body, from a camera that follows it."""
        if self.camera is None:
            self.camera = Camera(self.body.model)
        return self.camera.frame(self.body.data)

    def render(self) -> Any:
        """A picture, or None without a mode."""
        return None if self.render_mode is None else self.frame()

    def close(self) -> None:
        """Give back what drawing took."""
        if self.camera is not None:
            self.camera.close()
        self.camera = None

    def _example(self) -> BodyTask:
        """One task."""
        # Any will do: only its shape is looked at.
        return self.family.sample_task(np.random.default_rng(0))

    def _observation(self, task: BodyTask) -> Float32[np.ndarray, " n"]:
        seen = self.body.observe().astype(np.float32)
        return np.concatenate([seen, told]) if (told := self.family.tells(task)).size else seen
