"""Messages that are whole or late, never waited for without end."""

import threading
import time

import numpy as np
import pytest

from quickstudy.envs.channel import LENGTH, Channel

LONG = np.arange(3_000_000)


@pytest.fixture
def pair():
    both = Channel.pair()
    yield both
    for end in both:
        end.close()


def soon():
    return time.monotonic() + 0.2


def test_long_messages_arrive_as_they_were(pair):
    here, there = pair
    sender = threading.Thread(target=here.send, args=(LONG, soon() + 60))
    sender.start()
    np.testing.assert_array_equal(there.receive(soon() + 60), LONG)
    sender.join()
    there.send(None)
    assert here.receive() is None


def test_what_nobody_reads_or_ends_is_late(pair):
    here, there = pair
    with pytest.raises(TimeoutError):
        here.receive(soon())
    there.socket.sendall(LENGTH.pack(100) + b"half")
    with pytest.raises(TimeoutError):
        here.receive(soon())
    since = time.monotonic()
    with pytest.raises(TimeoutError):
        there.send(LONG, soon())
    assert 0.1 < time.monotonic() - since < 5


def test_messages_that_arrive_drop_by_drop_have_no_more_time(pair):
    here, there = pair
    there.socket.sendall(LENGTH.pack(1000))

    def drip():
        for _ in range(7):
            there.socket.sendall(b"a")
            time.sleep(0.1)

    dripping = threading.Thread(target=drip)
    dripping.start()
    since = time.monotonic()
    with pytest.raises(TimeoutError):
        here.receive(soon())
    assert time.monotonic() - since < 0.6
    dripping.join()


def test_the_other_end_is_gone(pair):
    here, there = pair
    there.socket.sendall(LENGTH.pack(100) + b"half")
    there.close()
    with pytest.raises(EOFError):
        here.receive(soon())
    with pytest.raises(OSError, match=r"pipe|reset"):
        here.send(LONG, soon())
