"""Processes that do not outlive the one that started them, whatever they are doing."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def watch() -> Callable[[], None]:
    """What a process that is started from here is to call first, so that it ends with this one.

    Example:
        >>> watch().__name__
        'watched_by_kernel'
    """
    # To Linux, the end of the thread that started a process is its parent's.
    lasting = threading.current_thread() is threading.main_thread()
    return watched_by_kernel if lasting and sys.platform == "linux" else watched_by_thread


def watched_by_kernel() -> None:
    """Have Linux kill this process when its parent ends, also where it hangs in C."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _demand_parent()


def watched_by_thread() -> None:
    """Have a thread end this process when its parent ends."""
    parent = multiprocessing.parent_process()
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    _demand_parent()


def _demand_parent() -> None:
    """End this process where its parent ended before it was watched."""
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)


def _end_after(parent: Any) -> None:
    parent.join()
    os._exit(1)
