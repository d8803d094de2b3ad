"""Tasks that are listed: all are met equally often, and none is changed."""

from collections import Counter

import numpy as np
import pytest

from quickstudy import BadInput, TaskList
from quickstudy.envs.host import HostEnvironment, draw_task

pytest.importorskip("gymnasium")
from references import poles


def test_every_task_is_met_equally_often_in_another_order():
    tasks = TaskList("abcdefg")
    drawn = [draw_task(tasks, seed=3, number=n) for n in range(21)]
    assert Counter(drawn) == dict.fromkeys("abcdefg", 3)
    assert drawn[:7] != drawn[7:14]
    assert [draw_task(tasks, 3, n) for n in range(21)] == drawn
    assert [draw_task(tasks, 4, n) for n in range(21)] != drawn
    rng = np.random.default_rng(0)
    assert {tasks(rng) for _ in range(99)} == set("abcdefg")


def test_a_task_that_is_changed_is_whole_when_it_is_drawn_again():
    tasks = TaskList([{"goal": [0.0]}])
    for draw in (lambda: tasks.numbered(0, 0), lambda: tasks(np.random.default_rng(0))):
        draw()["goal"][0] = 5.0
        assert draw() == {"goal": [0.0]}


def test_no_tasks_are_refused():
    for nothing in ([], np.zeros((0, 2))):
        with pytest.raises(BadInput, match="no task in the list"):
            TaskList(nothing)


def test_copies_are_in_the_listed_tasks():
    host = HostEnvironment(poles.make, TaskList([0.25, 0.5, 1.0]), poles.set_task, copies=6)
    host.begin(0)
    assert Counter(host.tasks) == {0.25: 2, 0.5: 2, 1.0: 2}
    lengths = [environment.unwrapped.length for environment in host.environments]
    assert lengths == host.tasks
    host.close()
