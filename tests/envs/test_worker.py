"""What a worker says: answers in order, or where it failed; and copies by the whole's numbers."""

import contextlib
import pickle
import signal
import socket

import jax
import numpy as np
import pytest

from quickstudy import QuickstudyError
from quickstudy.envs import worker
from quickstudy.envs.channel import Channel
from quickstudy.envs.worker import Broke, Failed, Notes, Share, Worker

pytest.importorskip("gymnasium")
from references import poles

MADE = (poles.Fragile, poles.sample_task, poles.set_task)


@pytest.fixture
def ask(monkeypatch):
    """What a worker, served in this process, answers to questions."""
    monkeypatch.setattr(signal, "signal", lambda *given: None)
    monkeypatch.setattr(jax.config, "update", lambda *given: None)

    def answers(*questions, made=MADE):
        ours, theirs = Channel.pair()
        for question in questions:
            ours.send(question)
        watched = []
        made = pickle.dumps(made)
        share = range(3, 5)
        worker.serve(theirs, Notes(share), share, lambda: watched.append("first"), made, 20)
        theirs.socket.shutdown(socket.SHUT_WR)
        found = []
        with contextlib.suppress(EOFError):
            while True:
                found.append(ours.receive())
        ours.close()
        theirs.close()
        assert watched == ["first"]
        return found

    return answers


def test_it_answers_until_there_are_no_more_questions(ask):
    begin, step = ("begin", (9,)), ("step", (np.zeros(2, int),))
    ready, seen, stepped = ask(begin, step, None, step)
    assert ready == (poles.Fragile.observation_space, poles.Fragile.action_space)
    assert seen.shape == (2, 1)
    assert stepped.reward.tolist() == [0, 0]


def test_a_failure_is_an_answer_and_the_last(ask):
    begin, broken = ("begin", (9,)), ("step", (np.array([0, 3]),))
    *_, said = ask(begin, broken, begin)
    assert isinstance(said, Failed)
    assert "failed in step: copy 4, task" in said
    said = ask(("nothing", ()))[-1]
    assert isinstance(said, Broke)
    assert "AttributeError" in said


def test_copies_have_the_numbers_of_the_whole():
    notes = Notes(range(3, 5))
    share = Share(MADE, range(3, 5), None, notes)
    share.begin(9, first=3)
    assert notes.busy == -1, "it works on none"
    assert [notes.task(copy) for copy in (3, 4)] == list(map(repr, share.tasks))
    with pytest.raises(QuickstudyError, match="copy 4"):
        share.step(np.array([0, 3]))
    assert notes.busy == 4, "the last that it worked on"


class Nameless:
    def __repr__(self):
        raise RuntimeError("no words")


def test_tasks_are_written_down_and_forgotten():
    notes = Notes(range(3, 5))
    notes.drew(4, {"ö": "x" * 3000})
    assert notes.task(3) == ""
    assert notes.task(4).startswith("{'ö': 'xxx")
    assert notes.task(4).endswith("x...")
    notes.drew(3, Nameless())
    assert notes.task(3) == "a Nameless"
    notes.drew(3, "𝄞" * 600)
    assert len(notes.task(3)) == 512
    notes.forget()
    assert [notes.task(copy) for copy in (3, 4)] == ["", ""]


class Process:
    def __init__(self, exitcode):
        self.exitcode = exitcode

    def join(self, seconds):
        assert seconds == 0.5


@pytest.mark.parametrize(
    ("code", "said"), [(-9, "was killed by SIGKILL"), (1, "ended by itself (exit code 1)")]
)
def test_how_it_ended(code, said):
    ended = object.__new__(Worker)
    ended.process = Process(code)
    assert ended.end(0.5) == said
