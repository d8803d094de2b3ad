"""What copies showed and paid, how two of them differ, and tasks in words."""

from typing import Any, NamedTuple

import numpy as np

ROUNDING = 1e-3  # of engines that begin a little differently each time


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
