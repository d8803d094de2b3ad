"""How two paths differ, and what a task was before and after it was played."""

import threading

import numpy as np

from quickstudy.testing.paths import Path, apart, as_bytes, told


def path(reward, done=False):
    seen = np.zeros((2, 1))
    return Path(seen, seen, np.array([1.0, reward]), np.array([False, done]))


def test_what_differs_is_told():
    assert apart(path(2.0), path(2.0)) == ""
    assert apart(path(2.0), path(2.0 + 1e-5)) == ""
    assert "the reward of step 2 is" in apart(path(2.0), path(2.0 + 1e-5), exactly=True)
    assert "the reward of step 2 is" in apart(path(2.0), path(3.0))
    assert "the end of the episode of step 2" in apart(path(2.0), path(2.0, done=True))


def test_tasks_as_bytes_and_in_words():
    task = {"goal": np.zeros(2)}
    before = as_bytes(task)
    assert as_bytes(task) == before
    task["goal"][0] = 1
    assert as_bytes(task) != before
    assert as_bytes(threading.Lock()) is None
    assert told("a" * 200).endswith("...")
    assert len(told("a" * 200)) == 120
