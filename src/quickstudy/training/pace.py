"""How a long compiled job is cut into chunks, so that a person can follow it and stop it."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

SECONDS_PER_CHUNK = 1.0  # how often a person wants to hear, and Ctrl-C to be heard


class Pace:
    """Chooses chunks of about a second, which never pass over a multiple of `every`.

    Args:
        every: steps between validations.
        steps: the last step.

    Example:
        >>> pace = Pace(every=500, steps=2000)
        >>> pace.next_stop(0), pace.next_stop(499), pace.next_stop(1999)
        (1, 500, 2000)
    """

    def __init__(self, every: int, steps: int):
        self.every, self.steps = every, steps
        self.length, self.since, self.measured = 1, time.monotonic(), False

    def next_stop(self, step: int) -> int:
        """Where the chunk that begins at `step` ends."""
        return min(step + self.length, (step // self.every + 1) * self.every, self.steps)

    def took(self, steps: int) -> None:
        """The chunk of so many steps is done; how long it took decides the next one's length."""
        now = time.monotonic()
        seconds, self.since = now - self.since, now
        if not self.measured:
            # The first chunk's time is compilation, which says nothing of the pace.
            self.length, self.measured = 4, True
            return
        fitting = int(steps * SECONDS_PER_CHUNK / max(seconds, 1e-4))
        # One measurement that was too fast must not begin a chunk of minutes.
        self.length = max(1, min(fitting, 20 * self.length))


@contextlib.contextmanager
def listening(active: bool) -> Iterator[threading.Event]:  # noqa: FBT001
    """Turn the first Ctrl-C into an event, if `active` and in the main thread."""
    stopped = threading.Event()
    if not active or threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(*_: Any) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, previous)  # a second Ctrl-C stops at once

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, previous)
