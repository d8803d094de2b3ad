"""Our environments as `gymnasium.Env`. Gymnasium is optional, and imported when it is needed."""

import functools
import importlib
from typing import Any

import jax
import numpy as np

from quickstudy.envs.drawing import Drawn
from quickstudy.envs.environment import MDP, Discrete, Environment
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
        A `gymnasium.Env`. Observations are float32 arrays; actions are whole numbers or arrays
        within ± the limit.

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
    return _adapter()(environment, render_mode, bounds)


@functools.cache
def _adapter() -> type:
    """The class, made once Gymnasium is known to be there."""
    gymnasium = import_gymnasium()

    class Adapted(_Adapted, gymnasium.Env):
        def reset(self, *, seed: int | None = None, options: dict | None = None) -> Any:
            # Gymnasium's own: makes `np_random`, if there is a seed.
            gymnasium.Env.reset(self, seed=seed)
            if seed is not None or self.task is None:
                self.task = self.environment.sample(self._key())
            return self._begin()

    return Adapted


class _Adapted:
    """All of a `gymnasium.Env` but what needs Gymnasium."""

    np_random: np.random.Generator

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
        actions, shape = environment.actions, environment.observation_shape
        self.metadata = {"render_modes": modes, "render_fps": 4}
        self.render_mode, self.environment = render_mode, environment
        self.observation_space = spaces.Box(*bounds, shape, np.float32)
        self.action_space = (
            spaces.Discrete(actions.n)
            if isinstance(actions, Discrete)
            else spaces.Box(-actions.limit, actions.limit, (actions.size,), np.float32)
        )
        self.task: MDP = None
        self.state: Any = None
        self.time: int | None = None  # steps taken, or None if no episode is going on
        self._reset, self._step = jax.jit(environment.reset), jax.jit(environment.step)

    def set_task(self, task: MDP) -> None:
        """Play in this task from the next `reset()` on."""
        self.task, self.time = task, None

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Act: observation, reward, terminated, truncated, nothing else to know."""
        if self.time is None:
            raise BadInput("no episode is going on; call reset() before step()")
        step = self._step(self._key(), self.state, np.asarray(action), self.task)
        self.state, self.time = step.state, self.time + 1
        terminated = bool(step.done)
        truncated = not terminated and self.time >= self.environment.horizon
        if terminated or truncated:
            self.time = None
        return np.array(step.observation), float(step.reward), terminated, truncated, {}

    def render(self) -> Any:
        """The state as text or as a picture, or None without a mode."""
        if self.render_mode is None or not isinstance(self.environment, Drawn):
            return None
        if self.state is None:
            raise BadInput("there is nothing to render yet; call reset() first")
        draw = self.environment.render if self.render_mode == "ansi" else self.environment.frame
        return draw(self.state, self.task)

    def _begin(self) -> tuple[np.ndarray, dict]:
        self.state, observation = self._reset(self._key(), self.task)
        self.time = 0
        return np.array(observation), {}

    def _key(self) -> jax.Array:
        return jax.random.key(int(self.np_random.integers(2**31)))
