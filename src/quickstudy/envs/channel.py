"""Messages between two processes, of any length, none of which is waited for without end."""

import pickle
import socket
import struct
import time
from typing import Any, Self

LENGTH = struct.Struct("!Q")
NEVER = float("inf")


class Channel:
    """One end of a pair of sockets.

    Attributes:
        socket: a connected one, which the channel owns.

    Example:
        >>> here, there = Channel.pair()
        >>> here.send({"seed": 1})
        >>> there.receive()
        {'seed': 1}
        >>> here.close(); there.close()
    """

    def __init__(self, ours: socket.socket) -> None:
        self.socket = ours

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Both ends."""
        here, there = socket.socketpair()
        return cls(here), cls(there)

    def send(self, message: Any, until: float = NEVER) -> None:
        """Send a message.

        Args:
            message: what can be pickled.
            until: the time, by `time.monotonic`, at which it must have been taken over.

        Raises:
            TimeoutError: it was not; the channel is of no more use.
            OSError: there is no other end.
        """
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._wait(until)
        # The time limit is one of the whole message, however it is taken over.
        self.socket.sendall(LENGTH.pack(len(data)) + data)

    def receive(self, until: float = NEVER) -> Any:
        """The next message.

        Args:
            until: the time, by `time.monotonic`, at which it must be here as a whole.

        Raises:
            TimeoutError: it was not; the channel is of no more use.
            EOFError: there is no other end.
            OSError: the same, in the midst of a message.
        """
        (length,) = LENGTH.unpack(self._read(LENGTH.size, until))
        return pickle.loads(self._read(length, until))

    def close(self) -> None:
        """Close this end."""
        self.socket.close()

    def _read(self, length: int, until: float) -> bytearray:
        data = bytearray(length)
        left = memoryview(data)
        while left:
            self._wait(until)
            count = self.socket.recv_into(left)
            if count == 0:
                raise EOFError("the other end is closed")
            left = left[count:]
        return data

    def _wait(self, until: float) -> None:
        """Have the socket's next call take no longer."""
        # Not 0, which would be a call that never waits, and so fails where it would not have to.
        seconds = None if until == NEVER else max(until - time.monotonic(), 1e-3)
        self.socket.settimeout(seconds)
