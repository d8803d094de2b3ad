"""A family of Gymnasium environments that is played by random actions, to be examined."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np

from quickstudy.envs.arriving import wrappers
from quickstudy.envs.host import HostEnvironment, draw_task
from quickstudy.envs.one_copy import OfOneCopy
from quickstudy.envs.vector import HostVector
from quickstudy.errors import RAISED, BadInput, QuickstudyError, said_by

ROUNDING = 1e-3  # of engines that begin a little differently each time
FAR = 1.0  # widths of a bounded space beyond its bounds


class Path(NamedTuple):
    """What one copy showed and paid, `[time, ...]`.

    Attributes:
        seen: before each action.
        last: after it.
        reward: r_t.
        done: whether it ended an episode.
    """

    seen: np.ndarray
    last: np.ndarray
    reward: np.ndarray
    done: np.ndarray

    def episode(self, number: int) -> "Path":
        """The steps of one episode; of one that was not played, none."""
        before = np.cumsum(self.done) - self.done
        return Path(*(column[before == number] for column in self))


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


class _Host(HostEnvironment):
    """Copies in tasks that are given."""

    given: list[Any]

    def _drawn(self, copy: int, number: int) -> Any:
        return self.given[copy]

    def _failure(self, doing: str, copy: int, why: BaseException) -> QuickstudyError:
        return _failed(doing, f"task {told(self.given[copy])}", why)


class _Vector(HostVector):
    """A vector in tasks that are given."""

    given: list[Any]

    def _drawn(self, copy: int, number: int) -> Any:
        return self.given[copy]

    def _failure(self, doing: str, why: BaseException) -> QuickstudyError:
        if isinstance(why, OfOneCopy):
            return _failed(doing, f"task {told(self.given[why.copy])} of copy {why.copy}", why)
        return _failed(doing, f"tasks {told(self.given)}", why)


def _failed(doing: str, tasks: str, why: BaseException) -> QuickstudyError:
    return BadInput(f"{doing} failed in the {tasks}: {said_by(why)}")


def apart(one: Path, other: Path, *, exactly: bool = False) -> str:
    """How two paths differ, as far as both go; nothing if they do not."""
    steps = min(len(one.done), len(other.done))
    names = ("first observation", "observation", "reward", "end of the episode")
    for time in range(steps):
        for name, a, b in zip(names, one, other, strict=True):
            if name == names[0] and time and not one.done[time - 1]:
                continue  # the last observation of the step before
            same = np.array_equal if exactly else _close
            if not same(a[time], b[time]):
                now, then = (told(np.asarray(x[time]).tolist()) for x in (a, b))
                return f"the {name} of step {time + 1} is {now}, and then {then}"
    return ""


def first_apart(some: list[Path], others: list[Path]) -> str:
    """How the paths of copies differ from others: what `apart` says of the first that do."""
    return next(filter(None, map(apart, some, others)), "")


def _close(a: Any, b: Any) -> bool:
    return np.allclose(a, b, rtol=ROUNDING, atol=ROUNDING * ROUNDING)


def as_bytes(task: Any) -> bytes | None:
    """A task as bytes, which change if it does; `None` if it cannot be written."""
    import cloudpickle  # Gymnasium needs it, too

    try:
        return cloudpickle.dumps(task)
    except Exception:  # whatever its own classes say
        return None


def told(value: Any) -> str:
    """A value for a message, not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
