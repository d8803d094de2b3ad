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


class Worker:
    """A process that steps a share of the copies, as its parent knows it.

    Attributes:
        share: the numbers of its copies.
        busy: the copy that it works on, in shared memory; −1 for none.
        channel: to ask and to be answered.
        process: itself.
    """

    def __init__(self, share: range, sent: tuple[bytes, int | None]) -> None:
        # Not "fork": it would copy JAX's threads' locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        # Without a lock, which a process that is killed would never give back.
        self.share, self.busy = share, context.RawValue("i", -1)
        self.channel, theirs = Channel.pair()
        self.process = context.Process(
            target=serve, args=(theirs, self.busy, share, watch(), *sent), daemon=True
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
    busy: Any,
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
            host = opened.enter_context(Share(pickle.loads(sent), share, horizon, busy))
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
    """Some of the copies, which says which of them it works on, and numbers them as the whole."""

    def __init__(self, made: Any, share: range, horizon: int | None, busy: Any) -> None:
        make, sample_task, set_task = made
        super().__init__(make, sample_task, set_task, len(share), horizon)
        self.numbers, self.busy = share, busy

    def _step(self, copy: int, action: Any) -> tuple[Any, ...]:
        self.busy.value = self.numbers[copy]
        found = super()._step(copy, action)
        # Not in a `finally`: after a failure the parent reads here which copy it was.
        self.busy.value = -1
        return found

    def _reset(self, copy: int, seed: int | None) -> Any:
        self.busy.value = self.numbers[copy]
        found = super()._reset(copy, seed)
        self.busy.value = -1
        return found
