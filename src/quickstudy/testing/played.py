"""A family of Gymnasium environments that is played by random actions, to be examined."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import numpy as np

from quickstudy.envs.arriving import wrappers
from quickstudy.envs.host import HostEnvironment, draw_task
from quickstudy.envs.one_copy import OfOneCopy
from quickstudy.envs.vector import HostVector
from quickstudy.errors import RAISED, BadInput, QuickstudyError, said_by
from quickstudy.testing.paths import Path, told

FAR = 1.0  # widths of a bounded space beyond its bounds


class PlayedFamily:
    """A family that is examined, and what is known of it so far.

    Attributes:
        copies: how many are open at first.
        writes: where `set_task` must write, for messages.
        shares: what is wrong where copies depend on each other.
        first: what its first tasks showed in new environments, one for each copy.
        before: these tasks before they were played, as bytes.
        after: and afterwards.
        differ: for the first and the second episode, the number of the first of two tasks that
            differ, and in episodes of how many steps.
    """

    copies: ClassVar[int] = 1
    writes: ClassVar[str] = (
        "set_task does not change what the environment reads: it must write "
        "to env.unwrapped, by the right name"
    )
    shares: ClassVar[str] = (
        "when another is stepped beside it; a task or a generator is kept in a global, or in the "
        "class: keep both in the environment itself, self"
    )
    first: list[Path]
    before: bytes | None = None
    after: bytes | None = None

    def __init__(
        self, functions: tuple[Callable[..., Any], ...], horizon: int | None, seed: int
    ) -> None:
        self.functions, self.horizon, self.seed = functions, horizon, seed
        self.differ: list[tuple[int, int] | None] = [None, None]
        self.host: Any = None

    def tasks(self, first: int = 0) -> list[Any]:
        """A task for each copy, drawn anew."""
        return [self.task(first + copy) for copy in range(self.copies)]

    def task(self, number: int) -> Any:
        """The task of that number, drawn anew."""
        try:
            return draw_task(self.functions[1], self.seed, number)
        except RAISED as error:
            why = f"{type(error).__name__}: {error}"
            raise BadInput(f"sample_task failed with {why}") from error

    def steps(self, most: int) -> int:
        """How many steps of an episode are played."""
        return most if self.horizon is None else min(most, self.horizon)

    def open(self, copies: int = 1) -> Any:
        """New environments; those before are closed."""
        self.close()
        self.host = _Host(*self.functions, copies=copies)
        return self.host

    def pairs(self, number: int, length: int) -> list[tuple[Path, Path]]:
        """For each copy what two tasks show, from that number on, with the same seed and
        actions."""
        one, other = (self.play([self.task(number + n)], length, number) for n in (0, 1))
        return list(zip(one, other, strict=True))

    def normalizes(self) -> str:
        """The name of a wrapper of Gymnasium's that keeps averages, if one is open."""
        names = [type(one).__name__ for first in self.opened() for one in wrappers(first)]
        return next((name for name in names if name.startswith("Normalize")), "")

    def opened(self) -> list[Any]:
        """What is open."""
        return self.host.environments

    def close(self) -> None:
        """Close what is open."""
        if (host := self.host) is not None:
            self.host = None
            host.close()

    def abandon(self) -> None:
        """Close what is open, after a failure that must be heard of first."""
        with contextlib.suppress(Exception):
            self.close()

    def beside(self, number: int, length: int) -> list[tuple[Path, Path]]:
        """What two tasks show, from that number on, alone and beside each other."""
        tasks = [self.task(number + n) for n in (0, 1)]
        alone = [self.play([task], length, first=n)[0] for n, task in enumerate(tasks)]
        self.open(copies=2)
        return list(zip(alone, self.play(tasks, length), strict=True))

    def ending(self, number: int, length: int) -> list[tuple[Path, Path]]:
        """What a copy shows in its first episode, and what it shows where another's ends before;
        nothing where each copy is reset alone."""
        return []

    def play(self, tasks: list[Any], most: int, variant: int = 0, first: int = 0) -> list[Path]:
        """Two episodes, or more if they end early, in every copy that is open.

        Args:
            tasks: one for each copy.
            most: an episode has no more steps.
            variant: decides the actions, which are the same in every episode and copy.
            first: the number of the first copy, which decides what environments draw.
        """
        host, steps = self.host or self.open(), self.steps(most)
        host.given, host.horizon = tasks, steps
        keys = jax.random.split(jax.random.fold_in(jax.random.key(self.seed), variant), steps)
        actions = np.asarray(jax.vmap(host.spaces.actions.draw)(keys))
        seen, time, path = host.begin(self.seed, first), np.zeros(len(tasks), int), []
        for _ in range(2 * steps):
            after = host.step(actions[time])
            path.append(Path(seen, after.last_observation, after.reward, after.done))
            seen, time = after.observation, np.where(after.done, 0, time + 1)
        columns = [np.stack(column, 1) for column in zip(*path, strict=True)]
        return [Path(*(column[copy] for column in columns)) for copy in range(len(tasks))]

    def demand_bounds(self, path: Path) -> None:
        """Refuse observations far outside a bounded space.

        Raises:
            BadInput: names a number, and the bound that it passes.
        """
        assert self.host is not None
        low, high = self.host.spaces.bounds_seen()
        width = FAR * (high - low)
        for seen in (*path.seen, *path.last):
            if (out := (seen > high + width) | (seen < low - width)).any():
                place = tuple(int(i) for i in np.argwhere(out)[0])
                raise BadInput(
                    f"an observation has the number {seen[place]:g} at {place}, as a policy sees "
                    f"it, far outside {low[place]:g} to {high[place]:g} of the space "
                    f"{self.host.spaces.observation}; mend the bounds of observation_space, or "
                    "scale what is returned"
                )


class PlayedVector(PlayedFamily):
    """A family whose copies step together, two of them."""

    copies: ClassVar[int] = 2
    writes: ClassVar[str] = (
        "set_tasks does not change what each copy reads, by its own task: it "
        "must write to the environments themselves, as vector.unwrapped.set_attr does, by the "
        "right name"
    )

    shares: ClassVar[str] = (
        "when the other copy is in another task; set_tasks must put each copy into its own"
    )

    def open(self, copies: int = 2) -> Any:
        """A new vector; the one before is closed."""
        self.close()
        make, sample_task, set_tasks = self.functions
        vector = functools.partial(make, copies)
        self.host = _Vector(vector, sample_task, set_tasks, copies, self.horizon)
        return self.host

    def opened(self) -> list[Any]:
        """The vector."""
        return self.host.opened

    def steps(self, most: int) -> int:
        """Whole episodes, of a vector that begins them by itself."""
        host = self.host or self.open()
        return self.horizon or most if host.begins_itself else super().steps(most)

    def pairs(self, number: int, length: int) -> list[tuple[Path, Path]]:
        """Copies exchange their tasks."""
        one = self.play(self.tasks(number), length, number)
        other = self.play(self.tasks(number)[::-1], length, number)
        return list(zip(one, other, strict=True))

    def beside(self, number: int, length: int) -> list[tuple[Path, Path]]:
        """What each copy shows in a task, the other being in the same or in another."""
        same, first, second = (
            self.play([self.task(number + one), self.task(number + other)], length)
            for one, other in ((0, 0), (0, 1), (1, 0))
        )
        return [(same[0], first[0]), (same[1], second[1])]

    def ending(self, number: int, length: int) -> list[tuple[Path, Path]]:
        """Both copies, of a vector that leaves the beginning of episodes to its user."""
        host, steps, tasks = self.host or self.open(), self.steps(length), self.tasks(number)
        if host.begins_itself or steps < 2:
            return []
        found, together = [], self.play(tasks, length)
        for copy in range(self.copies):
            host.limits = [steps if copy == n else 1 + steps // 3 for n in range(self.copies)]
            apart = self.play(tasks, length)[copy]
            # Later ones begin after other resets, and may draw other numbers of one generator.
            found.append((together[copy].episode(0), apart.episode(0)))
        host.limits = None
        return found


class _Host(HostEnvironment):
    """Copies in tasks that are given."""

    given: list[Any]

    def _drawn(self, copy: int, number: int) -> Any:
        return self.given[copy]

    def _failure(self, doing: str, copy: int, why: BaseException) -> QuickstudyError:
        return _failed(doing, f"task {told(self.given[copy])}", why)


class _Vector(HostVector):
    """A vector in tasks that are given; with limits, copies' episodes are as long as these say."""

    given: list[Any]
    limits: list[int] | None = None

    def _late(self) -> np.ndarray:
        return super()._late() if self.limits is None else self.times == self.limits

    def _drawn(self, copy: int, number: int) -> Any:
        return self.given[copy]

    def _failure(self, doing: str, why: BaseException) -> QuickstudyError:
        if isinstance(why, OfOneCopy):
            return _failed(doing, f"task {told(self.given[why.copy])} of copy {why.copy}", why)
        return _failed(doing, f"tasks {told(self.given)}", why)


def _failed(doing: str, tasks: str, why: BaseException) -> QuickstudyError:
    return BadInput(f"{doing} failed in the {tasks}: {said_by(why)}")
