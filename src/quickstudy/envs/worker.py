"""One process that steps some copies of a host environment."""

import contextlib
import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any, NamedTuple

import jax

from quickstudy.envs.channel import Channel
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.parent import watch
from quickstudy.errors import RAISED, BadInput, QuickstudyError

TOLD, UTF8 = 2048, 4  # bytes of a task that are written down; and of a letter, at most


class Shown(NamedTuple):
    """What a worker says when it has started: the spaces of its first environment."""

    observation_space: Any
    action_space: Any


class Failed(str):
    """What a worker says of its failure, instead of an answer."""


class Refused(Failed):
    """The same, of what is refused, not of a failure: a space that no policy reads."""


class Broke(str):
    """The traceback of a failure that does not say where it happened; the parent does."""


class Notes:
    """What a process writes down as it works, in memory that its parent reads when it has died or
    hangs.

    Args:
        share: the numbers of its copies.

    Example:
        >>> notes = Notes(range(2, 4))
        >>> notes.drew(3, {"goal": 1})
        >>> notes.task(2), notes.task(3)
        ('', "{'goal': 1}")
    """

    def __init__(self, share: range) -> None:
        # Not "fork": it would copy JAX's threads' locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        self.first, count = share.start, len(share)
        # Without locks, which a process that is killed would never give back.
        self._busy = context.RawValue("i", -1)
        self._tasks = [context.RawArray("c", TOLD) for _ in range(count)]

    @property
    def busy(self) -> int:
        """The copy that it works on; −1 for none."""
        return self._busy.value

    @busy.setter
    def busy(self, copy: int) -> None:
        self._busy.value = copy

    def forget(self) -> None:
        """No task is drawn."""
        for task in self._tasks:
            task.value = b""

    def drew(self, copy: int, task: Any) -> None:
        """Write down a copy's task."""
        try:
            text = repr(task)
        except RAISED:  # whatever its class says; without a failure nobody asks for it
            text = f"a {type(task).__name__}"
        if len(text) > TOLD // UTF8:
            text = f"{text[: TOLD // UTF8 - 3]}..."
        # One byte is the end's.
        self._tasks[copy - self.first].value = text.encode(errors="replace")[: TOLD - 1]

    def task(self, copy: int) -> str:
        """The copy's task; nothing where it was not drawn."""
        return self._tasks[copy - self.first].value.decode(errors="ignore")


class Worker:
    """A process that steps a share of the copies, as its parent knows it.

    Attributes:
        share: the numbers of its copies.
        notes: what it works on.
        channel: to ask and to be answered.
        process: itself.
    """

    def __init__(self, share: range, sent: tuple[bytes, int | None]) -> None:
        context = multiprocessing.get_context("spawn")
        self.share, self.notes = share, Notes(share)
        self.channel, theirs = Channel.pair()
        self.process = context.Process(
            target=serve, args=(theirs, self.notes, share, watch(), *sent), daemon=True
        )
        self.process.start()
        theirs.close()  # so that theirs is the only one, and its end is noticed

    @property
    def signs(self) -> tuple[Any, Any]:
        """What is ready when there is an answer, or none will ever come."""
        return self.channel.socket, self.process.sentinel

    def ask(self, question: Any, until: float) -> bool:
        """Send a question, or `None` to have it close, by that time: whether it did not fail to
        take it over. A dead one is noticed by its answer."""
        try:
            self.channel.send(question, until)
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def answer(self, until: float) -> Any:
        """Its answer, which is ready, or `None` if it has ended.

        Raises:
            TimeoutError: it was not here as a whole by that time.
        """
        try:
            # What is ready may be the sign of its end, with nothing to receive.
            return self.channel.receive(until) if wait([self.channel.socket], 0) else None
        except TimeoutError:
            raise
        except (EOFError, OSError):
            return None

    def end(self, seconds: float) -> str:
        """How it ended, within so many seconds."""
        self.process.join(seconds)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended by itself (exit code {code})"


def serve(
    channel: Channel,
    notes: Notes,
    share: range,
    watched: Callable[[], None],
    sent: bytes,
    horizon: int | None,
) -> None:
    """All that a worker does: answer until there are no more questions."""
    watched()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer
    jax.config.update("jax_platforms", "cpu")  # the accelerator is the parent's
    with contextlib.ExitStack() as opened:
        try:
            host = opened.enter_context(Share(pickle.loads(sent), share, horizon, notes))
            channel.send(Shown(host.spaces.observation, host.spaces.action))
            while question := channel.receive():
                name, given = question
                channel.send(getattr(host, name)(*given))
        except (EOFError, BrokenPipeError):
            return  # the parent is gone
        except BadInput as error:
            channel.send(Refused(error))
        except QuickstudyError as error:
            channel.send(Failed(error))
        except RAISED:
            channel.send(Broke(traceback.format_exc()))


class Share(HostEnvironment):
    """Some of the copies, which writes down on which of them it works and what tasks they have, and
    numbers them as the whole."""

    def __init__(self, made: Any, share: range, horizon: int | None, notes: Notes) -> None:
        make, sample_task, set_task = made
        super().__init__(make, sample_task, set_task, len(share), horizon)
        self.numbers, self.notes = share, notes

    def _step(self, copy: int, action: Any) -> tuple[Any, ...]:
        self.notes.busy = self.numbers[copy]
        found = super()._step(copy, action)
        # Not in a `finally`: after a failure the parent reads here which copy it was.
        self.notes.busy = -1
        return found

    def _reset(self, copy: int, seed: int | None) -> Any:
        self.notes.busy = self.numbers[copy]
        found = super()._reset(copy, seed)
        self.notes.busy = -1
        return found

    def _drawn(self, copy: int, number: int) -> Any:
        self.notes.busy = self.numbers[copy]
        found = super()._drawn(copy, number)
        self.notes.drew(self.numbers[copy], found)
        self.notes.busy = -1
        return found
