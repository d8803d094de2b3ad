"""Where things are kept on this machine, and how a file is replaced whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import platformdirs


def cache_folder() -> Path:
    """The folder for downloads, decoded images and compiled programs.

    The variable QUICKSTUDY_CACHE, or the user's cache folder.
    """
    chosen = os.environ.get("QUICKSTUDY_CACHE") or platformdirs.user_cache_dir("quickstudy")
    return Path(chosen).expanduser()


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """A binary file that replaces `target` when the block ends well, and vanishes otherwise.

    After a crash at any moment either the old or the new file is there, whole.

    Raises:
        OSError: no permission, or the disk is full; the old file is untouched.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, for renaming is atomic only within one file system.
    handle, name = tempfile.mkstemp(".partial", f".{target.name}.", target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            # Before the renaming: else a crash may leave the new name on an empty file.
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())  # as any new file; mkstemp's is for its owner alone
        os.replace(name, target)
        _sync_folder(target.parent)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    """What this process leaves out of a new file's permissions; it can only be read by setting."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself survive a crash, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
