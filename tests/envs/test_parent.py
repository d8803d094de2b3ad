"""Processes end with the one that started them."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from quickstudy.envs import parent

STARTS = """
    import multiprocessing, sys, threading, time
    from quickstudy.envs import parent

    def wait(watched):
        getattr(parent, watched)()
        print(multiprocessing.current_process().pid, flush=True)
        time.sleep(600)

    if __name__ == "__main__":
        multiprocessing.get_context("spawn").Process(target=wait, args=(sys.argv[1],)).start()
        time.sleep(600)
"""


def test_the_kernel_watches_for_the_main_thread_alone():
    """To Linux, a thread that ends is a parent that ends."""
    found = []
    thread = threading.Thread(target=lambda: found.append(parent.watch()))
    thread.start()
    thread.join()
    assert found == [parent.watched_by_thread]
    expected = "watched_by_kernel" if sys.platform == "linux" else "watched_by_thread"
    assert parent.watch().__name__ == expected


@pytest.mark.parametrize("watched", ["watched_by_kernel", "watched_by_thread"])
def test_a_child_ends_with_a_parent_that_is_killed(watched, tmp_path):
    if watched == "watched_by_kernel" and sys.platform != "linux":
        pytest.skip("Linux alone has a signal for it")
    script = tmp_path / "starts.py"
    script.write_text(textwrap.dedent(STARTS), encoding="utf-8")
    process = subprocess.Popen([sys.executable, script, watched], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    assert alive(child)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 30
    while alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(child)


def alive(process):
    """Whether it runs: one that ended and was not waited for is a zombie."""
    try:
        os.kill(process, 0)
        with open(f"/proc/{process}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
