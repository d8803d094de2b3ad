"""Files under the user's cache folder: decoded images, and downloads checked by hash."""

import hashlib
import http.client
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from quickstudy.errors import DataError
from quickstudy.files import replacing
from quickstudy.progress import Counter, silent


def load_cached(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an `.npz` file, never unpickled; None if it is missing or damaged."""
    try:
        # np.load leaves a file that it opened itself open when it is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
        return None


def save_cached(path: Path, **arrays: np.ndarray) -> None:
    """Write an `.npz` file at once or not at all; a folder without permission is no error."""
    _save(np.savez, path, arrays)


def save_compressed(path: Path, **arrays: np.ndarray) -> None:
    """The same in less space, for pictures with areas of one colour; it takes longer."""
    _save(np.savez_compressed, path, arrays)


def _save(write: Callable[..., None], path: Path, arrays: dict[str, np.ndarray]) -> None:
    try:
        with replacing(path) as file:
            write(file, allow_pickle=False, **arrays)
    except OSError:
        return  # A cache that cannot be written only costs the time to make it again.


def fetch(url: str, target: Path, md5: str, progress: Counter = silent) -> Path:
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
    # Systems with strict policies refuse md5 otherwise; here it tells the published file.
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with replacing(target) as file, urllib.request.urlopen(url, timeout=60) as reply:
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
