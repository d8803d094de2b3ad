"""Environments that are stepped on the host: any of Gymnasium's, with a task to set."""

import abc
import functools
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Float32

from quickstudy.envs.arriving import put
from quickstudy.envs.closing import close_all
from quickstudy.envs.door import (
    demand_same_spaces,
    first_seen,
    made_by,
    outcome,
    success_in,
)
from quickstudy.envs.environment import demand_actions
from quickstudy.envs.one_copy import OfOneCopy, demand_finite
from quickstudy.envs.seeded_reset import SeededReset
from quickstudy.envs.seeds import own_seeds
from quickstudy.envs.spaces import Spaces
from quickstudy.envs.task_list import TaskList
from quickstudy.errors import RAISED, BadInput, QuickstudyError, demand_counts, said_by


class HostStep(NamedTuple):
    """What follows the copies' actions.

    Attributes:
        observation: `[copies, ...]`; where an episode ended, the first of the next one.
        reward: `[copies]`.
        terminated: `[copies]`, episodes that ended by the MDP's own rules.
        truncated: `[copies]`, episodes that ended by a time limit.
        last_observation: `[copies, ...]`, with the last of an episode where one ended.
        success: `[copies]`, 1 or 0 as the environments tell; not-a-number where they do not.
    """

    observation: Float32[np.ndarray, "copies ..."]
    reward: Float32[np.ndarray, " copies"]
    terminated: Bool[np.ndarray, " copies"]
    truncated: Bool[np.ndarray, " copies"]
    last_observation: Float32[np.ndarray, "copies ..."]
    success: Float32[np.ndarray, " copies"]

    @property
    def done(self) -> Bool[np.ndarray, " copies"]:
        """Episodes that ended."""
        return self.terminated | self.truncated


class Host(abc.ABC):
    """Copies of a Gymnasium environment, each in a task, wherever they are stepped:
    `HostEnvironment` does it in this process, `quickstudy.envs.workers.HostWorkers` in others. A
    `with` block closes them.

    Attributes are those of `HostEnvironment`.
    """

    make: Callable[[], Any]
    sample_task: Callable[[np.random.Generator], Any]
    set_task: Callable[[Any, Any], None]
    copies: int
    horizon: int | None

    @property
    @abc.abstractmethod
    def spaces(self) -> Spaces:
        """What environments show and take."""

    @abc.abstractmethod
    def begin(
        self, seed: int, first: int = 0, each: int = 1, visit: int = 0
    ) -> Float32[np.ndarray, "copies ..."]:
        """New tasks, and what is seen first in them."""

    @abc.abstractmethod
    def step(self, actions: np.ndarray) -> HostStep:
        """Act in all copies."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close every environment."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class HostEnvironment(Host):
    """Copies of a Gymnasium environment, each in a task of its own, stepped in plain Python.

    `begin` draws the tasks, M_i ~ p(M). Episodes then follow each other by automatic reset; before
    each of them `set_task(env, M_i)` is called again, so that an environment may forget its task.
    It may also redraw it in a reset with a seed, but not in one without. `begin` resets each with
    its seed, sets the task, and resets it again; of environments that cannot be reset without a
    task it sets the task before, too.

    Environments are opened when they are needed, the first for its spaces and the others at
    `begin`, and stay open until `close`, the end of a `with` block, or that of the program.

    Args:
        make: makes one `gymnasium.Env`, with a time limit if it is to have one;
            `quickstudy.envs.spaces.Spaces` says which spaces it may have, and how they are read.
        sample_task: M_i ~ p(M), from a NumPy generator; or a `TaskList`.
        set_task: puts one environment into a task; called before each of its resets.
        copies: how many are stepped together.
        horizon: the most steps of an episode, which then is truncated; `None` leaves it to `make`.

    Raises:
        BadInput: no copy, no `gymnasium.Env`, spaces that do not fit, actions of another shape, or
            a step too early.
        QuickstudyError: an environment failed, or returned what is not in its spaces or not
            finite; the message names copy, task and seed. Or Gymnasium is not installed.

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
        demand_counts(copies=copies, horizon=1 if horizon is None else horizon)
        self.make, self.sample_task, self.set_task = make, sample_task, set_task
        self.copies, self.horizon = copies, horizon
        self.environments: list[Any] = []
        self._spaces: Spaces | None = None
        # For owners that never close. Of the list, not of `self`, which would never be freed.
        weakref.finalize(self, close_all, self.environments)
        self._seeded = SeededReset()
        self.numbers = range(copies)  # what failures call them
        self.tasks: list[Any] = []
        self.times = [0] * copies
        self.begun = (0, 0, 1, 0)  # the last begin's arguments

    @property
    def spaces(self) -> Spaces:
        """What environments show and take; known once one was open."""
        if self._spaces is None:
            one = made_by(self.make)
            self.environments.append(one)
            self._spaces = Spaces(one.observation_space, one.action_space)
        return self._spaces

    def begin(
        self, seed: int, first: int = 0, each: int = 1, visit: int = 0
    ) -> Float32[np.ndarray, "copies ..."]:
        """New tasks, and their first episodes: what is seen first, `[copies, ...]`.

        Args:
            seed: decides tasks and everything that environments draw, in each copy differently.
            first: the number of the first copy among all that the seed decides.
            each: so many copies in a row are in the same task.
            visit: with another number the same tasks are met, and everything else is drawn anew.
        """
        self.begun, numbers = (seed, first, each, visit), range(first, first + self.copies)
        # Until all are drawn there is none: a failure must not name a task of the begin before.
        self.tasks, _ = [], self.spaces  # of the first
        while len(self.environments) < self.copies:
            self.environments.append(self._made(len(self.environments)))
        self.tasks = [self._drawn(copy, n // each) for copy, n in enumerate(numbers)]
        own = own_seeds(seed, numbers, each, visit)
        return np.stack([self._reset(copy, one) for copy, one in enumerate(own)])

    def step(self, actions: np.ndarray) -> HostStep:
        """Act in all copies, and begin the next episode where one is over.

        Args:
            actions: `[copies, ...]`, as `spaces` has them.
        """
        if not self.tasks:
            raise BadInput("there is no task yet; call begin() before step()")
        demand_actions(actions, self.spaces.actions, self.copies)
        # Of all at once, which takes less time.
        native = self.spaces.native(np.asarray(actions))
        steps = [self._step(copy, action) for copy, action in enumerate(native)]
        found = HostStep(*map(np.array, zip(*steps, strict=True)))
        try:
            demand_finite(found.last_observation)
        except OfOneCopy as error:
            raise self._failure("step", error.copy, error) from error
        return found

    def close(self) -> None:
        """Close every environment; `begin` makes new ones."""
        self.tasks = []
        close_all(self.environments)

    def _step(self, copy: int, action: Any) -> tuple[Any, ...]:
        environment = self.environments[copy]
        try:
            returned = environment.step(action)
            seen, reward, terminated, truncated = outcome(returned, self.spaces.observation)
            last, success = self.spaces.observed(seen), success_in(returned[4])
        except RAISED as error:
            raise self._failure("step", copy, error) from error
        self.times[copy] += 1
        truncated = truncated or self.times[copy] == self.horizon
        observation = self._reset(copy, None) if terminated or truncated else last
        flags = np.bool_(terminated), np.bool_(truncated)
        return observation, np.float32(reward), *flags, last, success

    def _reset(self, copy: int, seed: int | None) -> Float[np.ndarray, "..."]:
        environment, self.times[copy] = self.environments[copy], 0
        try:
            # With a seed first, for it may draw another task; the reset that counts is without.
            set_task = functools.partial(put, environment, self.tasks[copy], self.set_task)
            if seed is not None:
                self._seeded(functools.partial(environment.reset, seed=seed), set_task)
            set_task()
            seen = first_seen(environment.reset(), self.spaces.observation)
            return demand_finite(self.spaces.observed(seen)[None])[0]
        except RAISED as error:
            raise self._failure("set_task or reset", copy, error) from error

    def _made(self, copy: int) -> Any:
        try:
            made = made_by(self.make, beside=copy)
            demand_same_spaces(made, self.spaces.observation, self.spaces.action)
            return made
        except RAISED as error:
            raise self._failure("make", copy, error) from error

    def _drawn(self, copy: int, number: int) -> Any:
        try:
            return draw_task(self.sample_task, self.begun[0], number)
        except RAISED as error:
            raise self._failure(f"sample_task of task number {number}", copy, error) from error

    def _failure(self, doing: str, copy: int, why: BaseException) -> QuickstudyError:
        """What failed in which copy, in its task where it has one by then."""
        seed, first, each, visit = self.begun
        # The first of all copies, of which these may be a process's share.
        again = begin_again(seed, first - self.numbers.start, each, visit)
        open_now = self.environments
        what = open_now[min(copy, len(open_now) - 1)] if open_now else "an environment"
        task = f"task {self.tasks[copy]!r}, " if self.tasks else ""
        return QuickstudyError(
            f"{what} failed in {doing}: copy {self.numbers[copy]}, {task}seed {seed}; {again} "
            f"draws the same task again. It said: {said_by(why)}"
        )


def draw_task(sample_task: Callable[[np.random.Generator], Any], seed: int, number: int) -> Any:
    """The task of that number among all that the seed decides.

    Example:
        >>> draw_task(lambda rng: int(rng.integers(10)), seed=0, number=3)
        8
    """
    if isinstance(sample_task, TaskList):
        return sample_task.numbered(seed, number)
    return sample_task(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,))))


def begin_again(seed: int, first: int, each: int, visit: int) -> str:
    """The call that draws the same tasks again, for messages.

    Example:
        >>> begin_again(9, 0, 1, 0)
        'begin(seed=9, first=0, each=1, visit=0)'
    """
    return f"begin(seed={seed}, first={first}, each={each}, visit={visit})"
