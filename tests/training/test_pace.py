"""Chunks of about a second that never pass over a validation, and the first Ctrl-C as an event."""

import signal
import threading

import pytest

from quickstudy.training import pace as module
from quickstudy.training.pace import Pace, listening


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when it is told."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_chunks_grow_to_a_second(clock):
    """The first chunk is compiled, and its time says nothing; then 4 steps in 0.1 s are 40 in 1."""
    pace = Pace(every=1000, steps=10_000)
    assert pace.next_stop(0) == 1
    clock(60.0)
    pace.took(1)
    assert pace.next_stop(1) == 5
    clock(0.1)
    pace.took(4)
    assert pace.next_stop(5) == 45
    clock(4.0)
    pace.took(40)
    assert pace.next_stop(45) == 55, "a slower machine gets shorter chunks"


def test_chunks_grow_by_twenty_times_at_most_and_never_vanish(clock):
    pace = Pace(every=10**6, steps=10**7)
    pace.took(1)
    clock(1e-3)
    pace.took(4)
    assert pace.length == 80
    clock(1e3)
    pace.took(80)
    assert pace.length == 1


def test_no_chunk_passes_over_a_validation_or_the_end(clock):
    pace = Pace(every=10, steps=25)
    pace.length = 100
    assert [pace.next_stop(step) for step in (0, 9, 10, 20)] == [10, 10, 20, 25]


@pytest.fixture
def heard():
    """What stands ready to hear an interrupt, whatever the tests were started by."""
    told = []
    before = signal.signal(signal.SIGINT, lambda *_: told.append("elsewhere"))
    yield told
    signal.signal(signal.SIGINT, before)


def test_the_first_interrupt_is_an_event_and_the_second_goes_where_it_would(heard):
    with listening(True) as stopped:
        assert not stopped.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stopped.is_set()
        assert heard == []
        signal.raise_signal(signal.SIGINT)
    assert heard == ["elsewhere"]


def test_afterwards_all_is_as_it_was(heard):
    before = signal.getsignal(signal.SIGINT)

    def broken():
        with listening(True):
            assert signal.getsignal(signal.SIGINT) is not before
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        broken()
    assert signal.getsignal(signal.SIGINT) is before


def test_who_must_not_listen_does_not(heard):
    before = signal.getsignal(signal.SIGINT)
    with listening(False):
        assert signal.getsignal(signal.SIGINT) is before
    found = []

    def elsewhere():
        with listening(True):
            found.append(signal.getsignal(signal.SIGINT) is before)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [True], "signals are the main thread's"
