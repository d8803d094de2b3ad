"""Features kept on disk, by the content of an image and the encoder that read it.

    <cache folder>/features/<encoder's digest>/<shard>.npy        float32 [n, d]
    <cache folder>/features/<encoder's digest>/<shard>.keys.npy   uint8 [n, 32]

A key is the SHA-256 of a file's bytes, or of an array's shape and numbers: a file may be moved or
renamed, and one that has changed is encoded anew. Every file is written whole or not at all, the
keys after the features that they are of, and nothing is changed later: any number of processes may
share the folder.
"""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from quickstudy.errors import DataError
from quickstudy.features.encoder import Encoder, check_many
from quickstudy.features.preparation import Picture
from quickstudy.files import cache_folder, replacing
from quickstudy.progress import Counter, silent

SHARD = 512
"""Features are written each time so many are new, and at the end."""

Rows = dict[bytes, np.ndarray]
"""Features by key."""


def encoded(
    encoder: Encoder,
    images: Sequence[Picture] | np.ndarray,
    *,
    progress: Counter = silent,
    folder: Path | None = None,
) -> Float32[np.ndarray, "n d"]:
    """`encoder(images)`, where images that were encoded before are not decoded again.

    Files are read as bytes each time, for their hash. To encode single images as they come, call
    the encoder itself: each call here with a new image adds two files to the cache.

    Args:
        encoder: what makes features of images.
        images: paths, or uint8 arrays of any sizes; `[n, h, w]`, `[n, h, w, 3]`.
        progress: called as `progress("encoding", done, total)`.
        folder: where features are kept; by default, in quickstudy's cache folder. If it cannot be
            written, nothing is kept.

    Raises:
        BadInput: no image, or an array of another type or shape.
        DataError: a file that is missing, damaged or no image.

    Example:
        >>> import tempfile
        >>> from quickstudy.features.encoder import encoder
        >>> mean = encoder(lambda x: x.mean((1, 2)), name="mean colour", size=(8, 8))
        >>> images = np.zeros((3, 16, 16, 3), np.uint8)
        >>> encoded(mean, images, folder=Path(tempfile.mkdtemp())).shape
        (3, 3)
    """
    check_many(images)
    own = (folder or cache_folder() / "features") / encoder.digest
    with ThreadPoolExecutor() as pool:
        keys = list(pool.map(_key, images))
    # An image that is given twice is encoded once.
    wanted = dict(zip(keys, images, strict=True))
    rows = _stored(own, wanted)
    progress("encoding", len(rows), len(wanted))
    missing = {key: image for key, image in wanted.items() if key not in rows}
    with _Shards(own) as shards:
        keys_left = iter(missing)
        for part in encoder.stream(missing.values()):
            new = {next(keys_left): row for row in part}
            shards.add(new)
            rows |= new
            progress("encoding", len(rows), len(wanted))
    return np.stack([rows[key] for key in keys])


class _Shards:
    """Writes features to disk, many at a time, and the rest when the block ends, however it does:
    what was encoded before a damaged image or an interruption is kept."""

    def __init__(self, folder: Path):
        self.folder, self.rows = folder, Rows()

    def __enter__(self) -> "_Shards":
        return self

    def add(self, rows: Rows) -> None:
        """Take new features; none with a key that was stored before."""
        self.rows |= rows
        if len(self.rows) >= SHARD:
            self.write()

    def write(self) -> None:
        """One shard of all that was added; a folder without permission is no error."""
        keys = np.frombuffer(b"".join(self.rows), np.uint8).reshape(-1, 32)
        # By its content: two processes that encode the same images write the same file.
        name = hashlib.sha256(keys.tobytes()).hexdigest()[:32]
        arrays = {f"{name}.npy": np.stack(list(self.rows.values())), f"{name}.keys.npy": keys}
        self.rows = Rows()
        # A cache that cannot be written only costs the time to encode again.
        with contextlib.suppress(OSError):
            for target, array in arrays.items():
                with replacing(self.folder / target) as file:
                    np.save(file, array)

    def __exit__(self, *_: object) -> None:
        if self.rows:
            self.write()


def _key(image: Picture) -> bytes:
    if isinstance(image, np.ndarray):
        about = f"{image.dtype}{image.shape}".encode()
        return hashlib.sha256(about + np.ascontiguousarray(image).tobytes()).digest()
    try:
        return hashlib.sha256(Path(image).expanduser().read_bytes()).digest()
    except OSError as error:
        raise DataError(f"{image} cannot be read ({error}); give an image") from error


def _stored(folder: Path, wanted: Mapping[bytes, Picture]) -> Rows:
    """Those of the wanted features that are there; damaged shards count as missing."""
    rows = Rows()
    for file in folder.glob("*.keys.npy"):
        try:
            keys = [key.tobytes() for key in np.load(file)]
            # Mapped, as often a few rows of a shard are wanted; each is copied, or the file stays
            # open.
            features = np.load(file.with_name(file.name.replace(".keys", "")), mmap_mode="r")
            found = {key: i for i, key in enumerate(keys) if key in wanted}
            rows |= {key: np.array(features[i], np.float32) for key, i in found.items()}
        except (OSError, ValueError, EOFError, IndexError):
            continue
    return rows
