"""Our environments as `gymnasium.Env`. Gymnasium is optional, and imported when it is needed."""

import abc
import functools
import importlib
from typing import Any

import jax
import numpy as np

from quickstudy.envs.drawing import Drawn
from quickstudy.envs.environment import MDP, Actions, Discrete, Environment, MultiDiscrete
from quickstudy.errors import BadInput, QuickstudyError


def import_gymnasium() -> Any:
    """The module.

    Raises:
        QuickstudyError: it is not installed.
    """
    try:
        return importlib.import_module("gymnasium")
    except ImportError as error:
        raise QuickstudyError(
            "this needs Gymnasium, which is not installed: pip install 'quickstudy[gymnasium]'"
        ) from error


def as_gymnasium(
    environment: Environment,
    render_mode: str | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Any:
    """One copy of an environment for programs that know Gymnasium.

    `reset(seed=…)` draws a new task and everything random from the seed; `reset()` begins another
    episode in the same task. `env.unwrapped.task` is the task and `set_task` sets one. An episode
    that ends by the MDP's rules is terminated; one that ends at its horizon is truncated.

    Args:
        environment: what to play.
        render_mode: "ansi" (text) or "rgb_array" (`uint8 [height, width, 3]`) where the
            environment can be drawn.
        bounds: the least and greatest number in an observation, where known: 0 and 1 for grids.

    Returns:
        A `gymnasium.Env`. Observations are float32 arrays; actions are whole numbers, arrays of
        them, or arrays within ± the limit.

    Raises:
        QuickstudyError: Gymnasium is not installed.
        BadInput: a mode in which this environment cannot be rendered, or a step after the end.

    Example:
        >>> from quickstudy.envs.gridnavi import GridNavi
        >>> env = as_gymnasium(GridNavi(), "ansi", bounds=(0, 1))  # doctest: +SKIP
        >>> observation, info = env.reset(seed=0)  # doctest: +SKIP
        >>> observation.shape, env.render().split()[-1]  # doctest: +SKIP
        ((25,), '@....')

    References:
        https://gymnasium.farama.org/api/env/
    """
    return in_gymnasium(_Adapted)(environment, render_mode, bounds)


@functools.cache
def in_gymnasium(kind: type) -> Any:
    """A class that has all of a `gymnasium.Env` but what Gymnasium gives, as one.

    Raises:
        QuickstudyError: Gymnasium is not installed.

    Example:
        >>> in_gymnasium(TaskEpisodes).__name__  # doctest: +SKIP
        'TaskEpisodes'
    """
    # Only when it is asked for, as Gymnasium is optional; and once, so that there is one class.
    return type(kind.__name__.strip("_"), (kind, import_gymnasium().Env), {})


class TaskEpisodes(abc.ABC):
    """Episodes in a task that stays, for `in_gymnasium`: `reset(seed=…)` draws a new task and
    everything random from the seed; `reset()` begins another episode in the same task.

    Attributes:
        horizon: the most steps of an episode.
        task: M_i; `None` before the first reset.
        time: steps taken, or `None` if no episode is going on.
    """

    np_random: np.random.Generator
    horizon: int
    task: Any = None
    time: int | None = None

    @abc.abstractmethod
    def draw(self) -> Any:
        """A task, from `np_random`."""

    @abc.abstractmethod
    def begin(self) -> np.ndarray:
        """Begin an episode: what is seen first."""

    @abc.abstractmethod
    def act(self, action: Any) -> tuple[np.ndarray, float, bool]:
        """Act: observation, reward, and whether the episode is over by the MDP's own rules."""

    def set_task(self, task: Any) -> None:
        """Play in this task from the next `reset()` on."""
        self.task, self.time = task, None

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> Any:
        """Begin an episode: what is seen first, and nothing else to know."""
        # Gymnasium's own: makes `np_random`, if there is a seed.
        super().reset(seed=seed)  # pyright: ignore[reportAttributeAccessIssue]
        if seed is not None or self.task is None:
            self.task = self.draw()
        observation, self.time = self.begin(), 0
        return observation, {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Act: observation, reward, terminated, truncated, nothing else to know."""
        if self.time is None:
            raise BadInput("no episode is going on; call reset() before step()")
        observation, reward, terminated = self.act(action)
        self.time += 1
        truncated = not terminated and self.time >= self.horizon
        if terminated or truncated:
            self.time = None
        return observation, reward, terminated, truncated, {}


class _Adapted(TaskEpisodes):
    """An environment of ours."""

    def __init__(
        self, environment: Environment, render_mode: str | None, bounds: tuple[float, float]
    ) -> None:
        modes = ["ansi", "rgb_array"] if isinstance(environment, Drawn) else []
        if render_mode is not None and render_mode not in modes:
            raise BadInput(
                f"render_mode is {render_mode!r}; {type(environment).__name__} can be rendered in "
                f"{modes or 'no mode: leave it None'}"
            )
        spaces = import_gymnasium().spaces
        shape = environment.observation_shape
        self.metadata = {"render_modes": modes, "render_fps": 4}
        self.render_mode, self.environment = render_mode, environment
        self.observation_space = spaces.Box(*bounds, shape, np.float32)
        self.action_space = _action_space(environment.actions, spaces)
        self.horizon, self.state = environment.horizon, None
        self._reset, self._step = jax.jit(environment.reset), jax.jit(environment.step)

    def draw(self) -> MDP:
        return self.environment.sample(self._key())

    def begin(self) -> np.ndarray:
        self.state, observation = self._reset(self._key(), self.task)
        # A copy: JAX's own arrays are read-only, and programs write into observations.
        return np.array(observation)

    def act(self, action: Any) -> tuple[np.ndarray, float, bool]:
        step = self._step(self._key(), self.state, np.asarray(action), self.task)
        self.state = step.state
        return np.array(step.observation), float(step.reward), bool(step.done)

    def render(self) -> Any:
        """The state as text or as a picture, or None without a mode."""
        if self.render_mode is None or not isinstance(self.environment, Drawn):
            return None
        if self.state is None:
            raise BadInput("there is nothing to render yet; call reset() first")
        draw = self.environment.render if self.render_mode == "ansi" else self.environment.frame
        return draw(self.state, self.task)

    def _key(self) -> jax.Array:
        # From Gymnasium's generator, so that the seed of `reset` decides everything.
        return jax.random.key(int(self.np_random.integers(2**31)))


def _action_space(actions: Actions, spaces: Any) -> Any:
    if isinstance(actions, Discrete):
        return spaces.Discrete(actions.n)
    if isinstance(actions, MultiDiscrete):
        return spaces.MultiDiscrete(actions.choices)
    return spaces.Box(-actions.limit, actions.limit, actions.shape, np.float32)
