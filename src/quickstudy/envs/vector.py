"""Copies of an environment that Gymnasium steps together: a `gymnasium.vector.VectorEnv`."""

import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

from quickstudy.envs.arriving import put
from quickstudy.envs.choices import short
from quickstudy.envs.closing import close_all
from quickstudy.envs.door import (
    GREATEST,
    SUCCESS,
    demand_shape,
    demand_spaces,
    five_of,
    made_by,
    one_flag,
    one_reward,
    pair_of,
    success_in,
)
from quickstudy.envs.environment import demand_actions
from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.envs.host import Host, HostStep, begin_again, draw_task
from quickstudy.envs.one_copy import OfOneCopy, demand_finite, of_copy
from quickstudy.envs.seeded_reset import SeededReset
from quickstudy.envs.seeds import own_seeds
from quickstudy.envs.spaces import Spaces
from quickstudy.errors import RAISED, BadInput, QuickstudyError, demand_counts, said_by


class HostVector(Host):
    """Copies of an environment, each in a task of its own, that step as one `VectorEnv`: in
    processes or in one array program, as its author made it.

    The same seed gives what `HostEnvironment` gives of the same environments, if these keep their
    tasks from episode to episode.

    Args:
        make: makes one `gymnasium.vector.VectorEnv` of so many copies, which begins an ended
            episode in the same step (`AutoresetMode.SAME_STEP`) or leaves that to its user
            (`DISABLED`).
        sample_task: M_i ~ p(M), from a NumPy generator; or a `TaskList`.
        set_task: puts all copies into their tasks, `set_task(vector, [M_1 … M_n])`. It is called at
            `begin` alone, for later some copies begin an episode in the middle of others': a copy
            must keep its task when it is reset.
        copies: how many there are.
        horizon: the most steps of an episode. With `SAME_STEP`, the environments' own limit.

    Raises:
        BadInput: no `VectorEnv` of so many copies, another way of beginning episodes, or a step too
            early.
        QuickstudyError: it failed, or returned what is not in its spaces or not finite; the message
            names copy and task, where it is one copy's.

    Example:
        >>> from gymnasium.vector import AutoresetMode, SyncVectorEnv  # doctest: +SKIP
        >>> def poles():
        ...     make = [lambda: gymnasium.make("CartPole-v1")] * 8
        ...     return SyncVectorEnv(make, autoreset_mode=AutoresetMode.DISABLED)
        >>> def lengthen(vector, lengths):
        ...     vector.set_attr("length", lengths)
        >>> host = HostVector(
        ...     poles, lambda rng: rng.uniform(0.25, 1.0), lengthen, 8, 200
        ... )  # doctest: +SKIP
        >>> host.begin(seed=0).shape  # doctest: +SKIP
        (8, 4)

    References:
        https://gymnasium.farama.org/api/vector/
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
        self.vector: Any = None
        self.opened: list[Any] = []
        # For owners that never close. Of the list, not of `self`, which would never be freed.
        weakref.finalize(self, close_all, self.opened)
        self._spaces: Spaces | None = None
        self.tasks: list[Any] = []
        self.times, self._seeded = np.zeros(copies, int), SeededReset()
        self.begun = (0, 0, 1, 0)  # the last begin's arguments

    @property
    def spaces(self) -> Spaces:
        """What one environment shows and takes."""
        if self._spaces is None:
            vector = self._open()
            self._spaces = Spaces(vector.single_observation_space, vector.single_action_space)
        return self._spaces

    @property
    def begins_itself(self) -> bool:
        """Whether the vector begins episodes by itself, and ends them at its own limit."""
        return self._open().metadata["autoreset_mode"].name == "SAME_STEP"

    def begin(
        self, seed: int, first: int = 0, each: int = 1, visit: int = 0
    ) -> Float32[np.ndarray, "copies ..."]:
        """New tasks, and what is seen first in them; arguments as of `HostEnvironment.begin`."""
        self.begun, numbers = (seed, first, each, visit), range(first, first + self.copies)
        self.tasks, doing = [], "sample_task"
        vector = self._open()
        try:
            tasks = [of_copy(copy, self._drawn, copy, n // each) for copy, n in enumerate(numbers)]
            self.tasks, doing = tasks, "set_task or reset"
            # First, for it may draw other tasks; the reset that counts is the one without.
            set_tasks = partial(put, vector, tasks, self.set_task)
            seeds = own_seeds(seed, numbers, each, visit)
            self._seeded(partial(vector.reset, seed=seeds), set_tasks)
            set_tasks()
            seen = demand_finite(self._each(pair_of(vector.reset())[0]))
        except RAISED as error:
            raise self._failure(doing, error) from error
        self.times = np.zeros(self.copies, int)
        return seen

    def step(self, actions: np.ndarray) -> HostStep:
        """Act in all copies, and begin the next episode where one is over.

        Args:
            actions: `[copies, ...]`, as `spaces` has them.
        """
        if not self.tasks:
            raise BadInput("there is no task yet; call begin() before step()")
        demand_actions(actions, self.spaces.actions, self.copies)
        native = np.asarray(self.spaces.native(np.asarray(actions)), self.spaces.action.dtype)
        try:
            return self._stepped(self.vector.step(native))
        except RAISED as error:
            raise self._failure("step", error) from error

    def close(self) -> None:
        """Close the vector; `begin` makes another."""
        self.vector, self.tasks = None, []
        close_all(self.opened)

    def _stepped(self, returned: Any) -> HostStep:
        seen, reward, terminated, truncated, told = five_of(returned)
        info = told if isinstance(told, Mapping) else {}
        # Copies, for a vector may hand out the same arrays at every step.
        ended, cut = self._flags(terminated, "terminated"), self._flags(truncated, "truncated")
        self.times += 1
        late = self._late()
        if self.begins_itself and (late & ~(ended | cut)).any():
            raise BadInput(
                f"an episode goes on after {self.horizon} steps, the horizon; make the copies with "
                f"max_episode_steps={self.horizon}, or with AutoresetMode.DISABLED"
            )
        cut |= late
        done, observation = ended | cut, self._each(seen)
        last, success = observation.copy(), self._success(info, done)
        if done.any():
            last, observation = self._ends(done, observation, info)
        self.times[done] = 0
        paid = self._rewards(reward)
        return HostStep(demand_finite(observation), paid, ended, cut, demand_finite(last), success)

    def _late(self) -> Bool[np.ndarray, " copies"]:
        """Which copies' episodes are as long as they may be."""
        return self.times == self.horizon

    def _ends(self, done: Bool[np.ndarray, " copies"], seen: Any, info: Any) -> tuple[Any, Any]:
        """The last observations, and the first of the episodes that follow."""
        last = seen.copy()
        if not self.begins_itself:
            first = self._each(pair_of(self.vector.reset(options={"reset_mask": done}))[0])
            return last, np.where(done.reshape(-1, *(1,) * (seen.ndim - 1)), first, seen)
        final = info.get("final_obs")
        if not isinstance(final, np.ndarray | list | tuple) or len(final) != self.copies:
            raise BadInput(
                f"info['final_obs'] is {short(final)}; where an episode ends, return its last "
                f"observation there, in a list of {self.copies}, or use AutoresetMode.DISABLED"
            )
        for copy in np.flatnonzero(done).tolist():
            last[copy] = of_copy(copy, self._observed, final[copy])
        return last, seen

    def _flags(self, value: Any, name: str) -> Bool[np.ndarray, " copies"]:
        self._demand_each(value, name)
        array = np.asarray(value)
        # As most vectors return them; a Python loop over thousands of copies would take longer.
        if array.dtype == bool:
            return array.copy()
        return np.array([of_copy(copy, one_flag, one, name) for copy, one in enumerate(value)])

    def _rewards(self, value: Any) -> Float32[np.ndarray, " copies"]:
        self._demand_each(value, "rewards")
        array = np.asarray(value)
        with np.errstate(over="ignore"):
            paid = array.astype(np.float32) if array.dtype.kind in "fiu" else None
        if paid is not None and (np.abs(paid) <= GREATEST).all():
            return paid
        paid = [of_copy(copy, one_reward, one) for copy, one in enumerate(value)]
        return np.array(paid, np.float32)

    def _demand_each(self, value: Any, name: str) -> None:
        """Demand one of them for each copy."""
        if np.shape(value) != (self.copies,):
            raise BadInput(
                f"{name} have the shape {np.shape(value)}; return one for each copy, "
                f"({self.copies},)"
            )
        if np.ma.is_masked(value):
            raise BadInput(f"{name} are {short(value)}, masked in part; return one for each copy")

    def _drawn(self, copy: int, number: int) -> Any:
        return draw_task(self.sample_task, self.begun[0], number)

    def _each(self, batch: Any) -> Float[np.ndarray, "copies ..."]:
        """A batch of observations in the space's terms, as policies see them."""
        iterate = import_gymnasium().vector.utils.iterate
        space = self.vector.observation_space
        try:
            each = list(iterate(space, batch))
        except RAISED:
            each = []
        if len(each) != self.copies:
            raise BadInput(
                f"{len(each)} observations were returned, {short(batch)}; return one for each "
                f"copy, {self.copies}, as the space {space} has them"
            )
        return np.stack([of_copy(copy, self._observed, one) for copy, one in enumerate(each)])

    def _observed(self, one: Any) -> Float[np.ndarray, "..."]:
        demand_shape(one, self.spaces.observation)
        return self.spaces.observed(one)

    def _success(self, info: Any, done: Bool[np.ndarray, " copies"]) -> Float32[np.ndarray, " n"]:
        """What each copy tells of its success: where its episode ended, in `final_info`."""
        final = info.get("final_info", {})
        for name in SUCCESS:
            if name in info and np.shape(info[name])[:1] != (self.copies,):
                raise BadInput(
                    f"info[{name!r}] is {short(info[name])}; return one for each copy, "
                    f"({self.copies},)"
                )
        told = [final if ended and final else info for ended in done]
        return np.array([of_copy(n, _told, one, n) for n, one in enumerate(told)])

    def _open(self) -> Any:
        if self.vector is None:
            self.vector = made_by(self.make, partial(_demand_vector, copies=self.copies))
            self.opened.append(self.vector)
        return self.vector

    def _failure(self, doing: str, why: BaseException) -> QuickstudyError:
        """What failed in which copy and task, or among which tasks if that is not known."""
        tasks, which = f"tasks {short(self.tasks)}, " if self.tasks else "", "tasks"
        if isinstance(why, OfOneCopy):
            task = f"task {self.tasks[why.copy]!r}, " if self.tasks else ""
            tasks, which = f"copy {why.copy}, {task}", "task"
        return QuickstudyError(
            f"{self.vector} failed in {doing}: {tasks}seed {self.begun[0]}; "
            f"{begin_again(*self.begun)} draws the same {which} again. It said: {said_by(why)}"
        )


def _demand_vector(made: Any, copies: int) -> None:
    gymnasium = import_gymnasium()
    if not isinstance(made, gymnasium.vector.VectorEnv):
        raise BadInput(f"make returned {made!r}; let it return one gymnasium.vector.VectorEnv")
    demand_spaces(made, "single_observation_space", "single_action_space", "observation_space")
    if made.num_envs != copies:
        raise BadInput(f"{made} has {made.num_envs} copies, and {copies} are wanted; make as many")
    mode = made.metadata.get("autoreset_mode")
    if getattr(mode, "name", None) not in ("SAME_STEP", "DISABLED"):
        raise BadInput(
            f"{made} begins episodes by {mode}, its metadata['autoreset_mode'], so that copies "
            "drift apart; make it with autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP or "
            "DISABLED, or let a class of your own name in its metadata which of these it does"
        )


def _told(info: Any, copy: int) -> np.float32:
    """The success that `info`, of all copies, tells of one: where Gymnasium's mask beside it says
    so, or always if there is no mask."""
    told = {
        name: info[name][copy]
        for name in SUCCESS
        if name in info and info.get(f"_{name}", {copy: True})[copy]
    }
    return success_in(told)
