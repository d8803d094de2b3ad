"""Environments in other processes: the same numbers, and a word for every way to fail."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import wait
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs.host import Host, HostEnvironment
from quickstudy.envs.workers import HostWorkers, Patience
from references import poles

gymnasium = pytest.importorskip("gymnasium")
POLES = (poles.make, poles.sample_task, poles.set_task)


def fragile(copies=5, **given):
    return HostWorkers(poles.Fragile, poles.sample_task, poles.set_task, copies, **given)


def gone(pids):
    """Whether no such process is left; their parent has waited for them."""
    return not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def pids(host):
    return [worker.process.pid for worker in host.workers]


@pytest.mark.parametrize("visit", [0, 1])
def test_the_same_numbers_as_in_one_process(visit):
    """Five poles in two processes, three in each task, from the middle of a task on."""
    here, there = HostEnvironment(*POLES, 5, 20), HostWorkers(*POLES, 5, 20)
    assert isinstance(here, Host)
    assert isinstance(there, Host)
    assert here.spaces.actions == there.spaces.actions
    begun = [host.begin(7, 4, 3, visit) for host in (here, there)]
    np.testing.assert_array_equal(*begun)
    actions, ends = np.random.default_rng(0).integers(0, 2, (40, 5)), 0
    for row in actions:
        one, other = here.step(row), there.step(row)
        ends += int(one.done.sum())
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    assert ends > 5
    np.testing.assert_array_equal(here.begin(8), there.begin(8))
    started = pids(there)
    there.close()
    assert len(started) == 2
    assert gone(started)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (1, r"copies 2 to 4 was killed by SIGKILL in step: copy 3, task {task}, seed 9"),
        (2, r"copies 2 to 4 gave no answer in step for 1\.5 s: copy 3, task {task}, seed 9"),
        (3, r"failed in step: copy 3, task {task}, seed 9.*ValueError: it broke"),
    ],
)
def test_who_dies_hangs_or_fails_is_named_and_all_are_ended(action, said):
    host = fragile(patience=Patience(1.5))
    host.begin(9)
    task = HostEnvironment(poles.Fragile, *POLES[1:], 5)
    task.begin(9)
    started, since = pids(host), time.monotonic()
    with pytest.raises(QuickstudyError, match=said.format(task=task.tasks[3])):
        host.step(np.array([0, 0, 0, action, 0]))
    assert time.monotonic() - since < 10
    assert gone(started)
    with pytest.raises(BadInput, match="call begin"):
        host.step(np.zeros(5, int))
    host.begin(9)
    assert not gone(pids(host))
    assert host.step(np.zeros(5, int)).reward.shape == (5,)
    host.close()


@pytest.mark.parametrize("make", [HostEnvironment, HostWorkers])
def test_a_failure_says_how_its_task_is_drawn_again(make):
    """Copy 3 of five, in whichever process: from the middle of the tasks on, in a later visit."""
    host = make(poles.Fragile, *POLES[1:], 5)
    host.begin(9, 4, 3, 2)
    call = "begin(seed=9, first=4, each=3, visit=2)"
    with pytest.raises(QuickstudyError, match=re.escape(call)) as said:
        host.step(np.array([0, 0, 0, 3, 0]))
    again = HostEnvironment(poles.Fragile, *POLES[1:], 5)
    eval(f"again.{call}")
    assert f"copy 3, task {again.tasks[3]!r}, seed 9" in str(said.value)
    host.close()
    assert host.begin(9).shape == (5, 1), "a closed host begins anew"
    host.close()


def test_one_that_is_killed_from_outside_while_another_is_busy():
    host = fragile()
    host.begin(9)
    started = pids(host)
    threading.Timer(0.5, os.kill, (started[1], 9)).start()
    with pytest.raises(
        QuickstudyError, match="copies 2 to 4 was killed by SIGKILL in step: copy 2"
    ):
        host.step(np.array([2, 0, 2, 0, 0]))
    assert gone(started)


def test_one_that_dies_between_steps():
    host = fragile(2)
    host.begin(9)
    host.workers[1].process.kill()
    host.workers[1].process.join()
    with pytest.raises(
        QuickstudyError, match="copies 1 to 1 was killed by SIGKILL in step: copy 1"
    ):
        host.step(np.zeros(2, int))


def test_what_cannot_be_sent_and_what_cannot_be():
    lock = threading.Lock()

    def locked():
        with lock:
            return poles.make()

    with pytest.raises(BadInput, match=r"make cannot be sent to another process \(.*lock"):
        HostWorkers(locked, *POLES[1:], 2)
    with pytest.raises(BadInput, match="2 copies cannot be shared by 3 processes"):
        HostWorkers(*POLES, 2, processes=3)
    with pytest.raises(BadInput, match="stepping is 0"):
        HostWorkers(*POLES, 2, patience=Patience(0))
    with pytest.raises(BadInput, match="starting is -1"):
        HostWorkers(*POLES, 2, patience=Patience(starting=-1))
    host = HostWorkers(*POLES, 4)
    with pytest.raises(BadInput, match="call begin"):
        host.step(np.zeros(4, int))


def test_what_cannot_be_made_there_is_said():
    here = os.getpid()

    def make():
        if os.getpid() != here:
            raise RuntimeError("no licence")
        return poles.make()

    host = HostWorkers(make, lambda rng: 0.5, lambda env, task: None, 2, processes=1)
    said = "no environment can be made; make failed with RuntimeError: no licence"
    with pytest.raises(QuickstudyError, match=said):
        host.begin(7)


MADE = dict[int, int]()


def one_each():
    """Makes one environment in each process, and no second."""
    MADE[os.getpid()] = MADE.get(os.getpid(), 0) + 1
    if MADE[os.getpid()] > 1:
        raise RuntimeError("no second licence")
    return poles.make()


def short_of_tasks(rng):
    length = rng.uniform(0.25, 1.0)
    if length < 0.5:
        raise ValueError("too short")
    return length


@pytest.mark.parametrize("where", [HostEnvironment, HostWorkers])
def test_copies_that_cannot_be_made_and_tasks_that_cannot_be_drawn_are_named(where):
    """Of three copies, those of the second process are 1 and 2."""
    MADE.clear()
    host = where(one_each, *POLES[1:], 3)
    copy = 1 if where is HostEnvironment else 2
    again = "begin(seed=7, first=3, each=1, visit=0) draws the same task again"
    said = rf"failed in make: copy {copy}, seed 7; {re.escape(again)}.*no second licence"
    with pytest.raises(QuickstudyError, match=said):
        host.begin(7, 3)
    host = where(poles.make, short_of_tasks, poles.set_task, 4)  # with seed 4 the third is short
    said = r"failed in sample_task of task number 2: copy 2, seed 4; .*ValueError: too short"
    with pytest.raises(QuickstudyError, match=said):
        host.begin(4)
    with pytest.raises(BadInput, match="call begin"):
        host.step(np.zeros(4, int))


def hangs(rng):
    length = rng.uniform(0.25, 1.0)
    if length < 0.5:
        time.sleep(600)  # say, a search for a task that never ends
    return length


def dies(rng):
    length = rng.uniform(0.25, 1.0)
    if length < 0.5:
        os._exit(3)
    return length


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (hangs, r"copies 1 to 2 gave no answer in begin for 3 s"),
        (dies, r"copies 1 to 2 ended by itself \(exit code 3\) in begin"),
    ],
)
def test_who_hangs_or_dies_in_drawing_a_task_is_named_by_its_number(draw, said):
    """It is not drawn again to be told. With seed 4 the third is short, and not with seed 2."""
    assert all(
        hangs(np.random.default_rng(np.random.SeedSequence(2, spawn_key=(n,)))) for n in range(3)
    )
    host = HostWorkers(poles.make, draw, poles.set_task, 3, patience=Patience(3))
    host.begin(2)
    started, since = pids(host), time.monotonic()
    with pytest.raises(
        QuickstudyError, match=f"{said}: copy 2, task number 2, which was not drawn, seed 4; begin"
    ):
        host.begin(4)
    assert time.monotonic() - since < 8
    assert gone(started)


class Vast(gymnasium.Env):
    """Observations and actions that no socket's buffer holds; in a step it stops its process, a
    while after."""

    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1_000_000,), np.float32)
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1_000_000,), np.float32)

    def reset(self, *, seed=None, options=None):
        return np.zeros(1_000_000, np.float32), {}

    def step(self, action):
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGSTOP)).start()
        return np.zeros(1_000_000, np.float32), 0.0, False, False, {}


def unlengthened(env, length):
    pass


def test_who_stalls_in_the_midst_of_a_message_is_caught(monkeypatch):
    """As it writes its answer, and as it does not read its question."""
    host = HostWorkers(Vast, poles.sample_task, unlengthened, 1, processes=1, patience=Patience(5))

    def late(signs, seconds):
        time.sleep(1.5)  # by then it is stopped, with its answer sent in part
        return wait(signs, seconds)

    monkeypatch.setattr("quickstudy.envs.workers.wait", late)
    for stopped_before in (False, True):
        host.begin(9)
        started, since = pids(host), time.monotonic()
        if stopped_before:
            os.kill(started[0], signal.SIGSTOP)
        with pytest.raises(QuickstudyError, match="gave no answer in step for 5 s: copy 0, task"):
            host.step(np.zeros((1, 1_000_000), np.float32))
        assert 4 < time.monotonic() - since < 20
        assert gone(started)


ORPHANS = """
import threading
import numpy as np, quickstudy as qs
from references import poles

def act():
    made = poles.Fragile, poles.sample_task, poles.set_task
    host = qs.HostWorkers(*made, 2, patience=qs.Patience(600))
    host.begin(0)
    print(*[w.process.pid for w in host.workers], flush=True)
    host.step(np.array([2, 2]))

if __name__ == "__main__":
    {act}
"""


@pytest.mark.parametrize(
    "act",
    ["act()", "thread = threading.Thread(target=act); thread.start(); thread.join()"],
    ids=["main", "thread"],
)
def test_workers_that_hang_die_with_a_parent_that_is_killed(act, tmp_path):
    program = tmp_path / "orphans.py"
    program.write_text(ORPHANS.format(act=act))
    where = os.pathsep.join([*sys.path, os.fspath(Path(__file__).parents[1])])
    command = [sys.executable, program]
    with subprocess.Popen(
        command, stdout=PIPE, text=True, env=os.environ | {"PYTHONPATH": where}
    ) as ran:
        started = ran.stdout.readline().split()
        assert len(started) == 2
        assert not gone(started)
        time.sleep(1)  # for the questions to arrive
        ran.kill()
        ran.wait()
    until = time.monotonic() + 10
    while not gone(started) and time.monotonic() < until:
        time.sleep(0.1)
    assert gone(started)


PROGRAM = """
import numpy as np, quickstudy as qs, gymnasium
host = qs.HostWorkers(
    lambda: gymnasium.make("CartPole-v1"), lambda rng: rng.uniform(), lambda env, task: None, 2
)
{work}
"""


def test_a_program_that_ends_takes_its_processes_with_it(tmp_path):
    """Not closed, not named: and one that forgot its guard is told so."""
    guarded = tmp_path / "guarded.py"
    work = "if __name__ == '__main__':\n    host.begin(0)\n"
    guarded.write_text(
        PROGRAM.format(work=work + "    print(*[w.process.pid for w in host.workers])")
    )
    ran = subprocess.run([sys.executable, guarded], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.split()) == 2
    assert gone(ran.stdout.split())
    open_ended = tmp_path / "open_ended.py"
    open_ended.write_text(PROGRAM.format(work="host.begin(0)"))
    ran = subprocess.run([sys.executable, open_ended], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1
    assert "must do its work under `if __name__" in ran.stderr
