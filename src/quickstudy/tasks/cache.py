"""Files under the user's cache folder: decoded images, and downloads checked by hash."""

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from quickstudy.errors import DataError

Progress = Callable[[str, int, int | None], None]
"""Called as `progress(what, done, total)`; `total` is None where it is not known."""


def silent(what: str, done: int, total: int | None) -> None:
    """The progress callback that shows nothing."""


def load_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an `.npz` file, never unpickled; None if it is missing or damaged."""
    try:
        # np.load leaves a file that it opened itself open when it is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
        return None


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write an `.npz` file at once or not at all; a folder without permission is no error."""
    try:
        with _replacing(path) as file:
            np.savez(file, allow_pickle=False, **arrays)
    except OSError:
        return  # A cache that cannot be written only costs the time to make it again.


def fetch(url: str, target: Path, md5: str, progress: Progress = silent) -> Path:
    """Download `url` to `target`, which appears only when it is complete and its hash is right.

    Args:
        url: where the file is.
        target: where it goes; an older file stays there until the new one is checked.
        md5: the expected hash, in hexadecimal.
        progress: called with the URL's last part, the bytes so far and the bytes in all.

    Returns:
        `target`.

    Raises:
        DataError: no connection, a truncated file, a wrong hash, or no permission to write.
    """
    advice = f"Download {url} yourself and name its folder by --data or QUICKSTUDY_DATA."
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with _replacing(target) as file, urllib.request.urlopen(url, timeout=60) as reply:
            length = reply.headers.get("Content-Length")
            total, done = int(length) if length else None, 0
            while block := reply.read(1 << 16):
                file.write(block)
                digest.update(block)
                done += len(block)
                progress(target.name, done, total)
            if total is not None and done < total:
                raise DataError(f"{url} broke off after {done:,} of {total:,} bytes. {advice}")
            if digest.hexdigest() != md5:
                raise DataError(
                    f"{url} has the md5 {digest.hexdigest()}, but {md5} was expected: the file "
                    f"is damaged or not the official one. {advice}"
                )
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{url} could not be downloaded to {target}: {error}. {advice}") from error
    return target


@contextmanager
def _replacing(target: Path) -> Iterator:
    """A binary file that replaces `target` when the block ends well and vanishes otherwise."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(".partial", target.name + ".", target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)
