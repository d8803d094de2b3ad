"""Environments that are stepped on the host: any of Gymnasium's, with a task to set."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Float32, PRNGKeyArray

from quickstudy.envs.environment import (
    MDP,
    Action,
    Actions,
    Continuous,
    Discrete,
    Environment,
    Observation,
    State,
    Step,
)
from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.errors import BadInput, QuickstudyError


class HostStep(NamedTuple):
    """What follows the copies' actions.

    Attributes:
        observation: `[copies, ...]`; where an episode ended, the first of the next one.
        reward: `[copies]`.
        terminated: `[copies]`, episodes that ended by the MDP's own rules.
        truncated: `[copies]`, episodes that ended by a time limit.
        last_observation: `[copies, ...]`, with the last of an episode where one ended.
    """

    observation: Float32[np.ndarray, "copies ..."]
    reward: Float32[np.ndarray, " copies"]
    terminated: Bool[np.ndarray, " copies"]
    truncated: Bool[np.ndarray, " copies"]
    last_observation: Float32[np.ndarray, "copies ..."]

    @property
    def done(self) -> Bool[np.ndarray, " copies"]:
        """Episodes that ended."""
        return self.terminated | self.truncated


class HostEnvironment:
    """Copies of a Gymnasium environment, each in a task of its own, stepped in plain Python.

    `begin` draws the tasks, M_i ~ p(M). Episodes then follow each other by automatic reset; before
    each of them `set_task(env, M_i)` is called again, so that an environment may forget its task.
    It may also redraw it in a reset with a seed, but not in one without.

    Args:
        make: makes one `gymnasium.Env`, with a time limit if it is to have one. Observations are
            arrays (a Box), actions are whole numbers (Discrete) or arrays within ± one limit.
        sample_task: M_i ~ p(M), from a NumPy generator.
        set_task: puts one environment into a task; called before each of its resets.
        copies: how many are stepped together.
        horizon: the most steps of an episode, which then is truncated; `None` leaves it to `make`.

    Raises:
        BadInput: no copy, spaces that do not fit, actions of another shape, or a step too early.
        QuickstudyError: an environment failed; the message names copy, task and seed. Or
            Gymnasium is not installed.

    Example:
        >>> import gymnasium  # doctest: +SKIP
        >>> def lengthen(env, length):
        ...     env.unwrapped.length = length
        >>> poles = HostEnvironment(
        ...     make=lambda: gymnasium.make("CartPole-v1"),
        ...     sample_task=lambda rng: rng.uniform(0.25, 1.0),
        ...     set_task=lengthen,
        ...     copies=8,
        ...     horizon=200,
        ... )  # doctest: +SKIP
        >>> poles.begin(seed=0).shape  # doctest: +SKIP
        (8, 4)
    """

    def __init__(
        self,
        make: Callable[[], Any],
        sample_task: Callable[[np.random.Generator], Any],
        set_task: Callable[[Any, Any], None],
        copies: int = 1,
        horizon: int | None = None,
    ) -> None:
        for name, given in (("copies", copies), ("horizon", horizon)):
            if given is not None and given < 1:
                raise BadInput(f"{name} is {given}; give 1 or more")
        gymnasium = import_gymnasium()
        self.make, self.sample_task, self.set_task = make, sample_task, set_task
        self.copies, self.horizon = copies, horizon
        self.environments = [make()]  # the others when they are needed
        self.actions: Actions = _actions(self.environments[0].action_space, gymnasium.spaces)
        space = self.environments[0].observation_space
        if not isinstance(space, gymnasium.spaces.Box):
            raise BadInput(
                f"observations are {space}; give arrays, as gymnasium.wrappers.FlattenObservation"
            )
        self.observation_shape: tuple[int, ...] = space.shape
        self.tasks: list[Any] = []
        self.times = [0] * copies
        self.seed: int | None = None

    def begin(self, seed: int, first: int = 0) -> Float32[np.ndarray, "copies ..."]:
        """New tasks, and their first episodes: what is seen first, `[copies, ...]`.

        Args:
            seed: decides tasks and everything that environments draw, in each copy differently.
            first: the number of the first copy's task among all that the seed decides.
        """
        numbers = range(first, first + self.copies)
        sequences = [np.random.SeedSequence(seed, spawn_key=(n,)) for n in numbers]
        while len(self.environments) < self.copies:
            self.environments.append(self.make())
        self.seed = seed
        self.tasks = [self.sample_task(np.random.default_rng(own)) for own in sequences]
        seeds = [int(own.generate_state(1)[0]) for own in sequences]
        return np.stack([self._reset(copy, own) for copy, own in enumerate(seeds)])

    def step(self, actions: np.ndarray) -> HostStep:
        """Act in all copies, and begin the next episode where one is over.

        Args:
            actions: `[copies]` whole numbers or `[copies, size]`, clipped to the limit.
        """
        if not self.tasks:
            raise BadInput("there is no task yet; call begin() before step()")
        discrete = isinstance(self.actions, Discrete)
        expected = (self.copies,) if discrete else (self.copies, self.actions.size)
        if np.shape(actions) != expected:
            raise BadInput(f"actions have the shape {np.shape(actions)}; give {expected}")
        steps = [self._step(copy, action) for copy, action in enumerate(actions)]
        return HostStep(*map(np.stack, zip(*steps, strict=True)))

    def close(self) -> None:
        """Close every environment."""
        for environment in self.environments:
            environment.close()

    def _step(self, copy: int, action: Any) -> tuple[Any, ...]:
        environment = self.environments[copy]
        if isinstance(self.actions, Continuous):
            low, high = environment.action_space.low, environment.action_space.high
            action = np.clip(action, low, high).astype(environment.action_space.dtype)
        else:
            action = int(action) + int(environment.action_space.start)
        try:
            last, reward, terminated, truncated, _ = environment.step(action)
        except Exception as error:
            raise self._failure("step", copy) from error
        last = np.array(last, np.float32)
        self.times[copy] += 1
        truncated = truncated or self.times[copy] == self.horizon
        observation = self._reset(copy, None) if terminated or truncated else last
        flags = np.bool_(terminated), np.bool_(truncated)
        return observation, np.float32(reward), *flags, last

    def _reset(self, copy: int, seed: int | None) -> Float[np.ndarray, "..."]:
        environment, self.times[copy] = self.environments[copy], 0
        try:
            # First, for it may draw another task; the reset that counts is the one without.
            if seed is not None:
                environment.reset(seed=seed)
            self.set_task(environment, self.tasks[copy])
            return np.array(environment.reset()[0], np.float32)
        except Exception as error:
            raise self._failure("set_task or reset", copy) from error

    def _failure(self, doing: str, copy: int) -> QuickstudyError:
        return QuickstudyError(
            f"{self.environments[copy]} failed in {doing}: copy {copy}, task {self.tasks[copy]!r}, "
            f"seed {self.seed}; begin(seed={self.seed}) draws the same task again"
        )


class HostFamily(Environment):
    """A family of MDPs that are stepped on the host, for trials that policies act in there.

    It says all that a policy must know of a family; nothing of it can be compiled.

    Attributes:
        host: steps copies of it.
        horizon: the host's.

    Raises:
        BadInput: the host has no horizon, or the family is to be stepped in a compiled program.

    Example:
        >>> HostFamily(poles).observation_shape  # doctest: +SKIP
        (4,)
    """

    host: HostEnvironment = eqx.field(static=True)
    horizon: int = eqx.field(static=True)

    def __init__(self, host: HostEnvironment) -> None:
        if host.horizon is None:
            raise BadInput(
                "trials need to know how long episodes can be; give HostEnvironment a horizon"
            )
        self.host, self.horizon = host, host.horizon

    @property
    def actions(self) -> Actions:
        """What may be done."""
        return self.host.actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of an observation."""
        return self.host.observation_shape

    def sample(self, key: PRNGKeyArray) -> MDP:
        """Refused: tasks are drawn on the host."""
        raise self._refusal()

    def reset(self, key: PRNGKeyArray, task: MDP) -> tuple[State, Observation]:
        """Refused: episodes begin on the host."""
        raise self._refusal()

    def step(self, key: PRNGKeyArray, state: State, action: Action, task: MDP) -> Step:
        """Refused: episodes go on on the host."""
        raise self._refusal()

    def _refusal(self) -> BadInput:
        return BadInput(
            f"{self.host.environments[0]} is stepped on the host and cannot be compiled; train "
            "with HostRL2, and act by host_rollouts"
        )


def _actions(space: Any, spaces: Any) -> Actions:
    """A space as our own kind of actions."""
    if isinstance(space, spaces.Discrete):
        return Discrete(int(space.n))
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        limit = float(space.high[0])
        if np.all(space.high == limit) and np.all(space.low == -limit) and np.isfinite(limit):
            return Continuous(space.shape[0], limit)
    raise BadInput(
        f"actions are {space}; give Discrete, or a Box [n] within ± one limit, as "
        "gymnasium.wrappers.RescaleAction(env, -1.0, 1.0) makes one"
    )
