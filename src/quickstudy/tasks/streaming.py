"""Images that stay on the host, in memory or in a file, until they are drawn."""

import contextlib
import math
import mmap
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Int, Shaped

from quickstudy.errors import BadInput, DataError


@jax.tree_util.register_static
class HostImages:
    """Images for `Episodes` that are too many for the device's memory.

    They stand in for the array on the device, so that the episodes of a key are those that
    `Episodes` draws from the same array there: only the gathering of the drawn images is a call
    to the host (`jax.pure_callback`). It works under `jit`, `vmap`, `lax.scan` and `shard_map`. A
    program that waits for the host should begin with `set_up_devices`, as those of `quickstudy`
    do: JAX's asynchronous dispatch on CPUs is known to hang in callbacks
    (https://github.com/jax-ml/jax/issues/25861).

    Nothing here is a leaf: two `HostImages` are equal only if they are the same object, and each
    is compiled for anew. The file must not change while it is used.

    Attributes:
        shape: `[classes, items, h, w]` or `[classes, items, h, w, c]`, or `[classes, items, ...]`
            for features.
        dtype: uint8, or float32 for features.

    Raises:
        BadInput: another type, or fewer than two dimensions.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "train.npy"
        >>> np.save(path, np.zeros((10, 6, 28, 28), np.uint8))
        >>> from quickstudy.tasks.episodes import Episodes
        >>> tasks = Episodes(HostImages.open(path), ways=5, shots=1, queries=3)
        >>> tasks.sample(jax.random.key(0)).support.x.shape
        (5, 28, 28, 1)
    """

    def __init__(self, array: np.ndarray):
        if array.dtype not in (np.uint8, np.float32) or array.ndim < 2:
            raise BadInput(
                f"The images are {array.dtype} {list(array.shape)}; give uint8 pixels or float32 "
                "features, [classes, items, ...]."
            )
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    @classmethod
    def open(cls, path: str | Path) -> "HostImages":
        """The array of an `.npy` file, of which only what is drawn is read, together for a task.

        `np.save(path, data.images)` writes such a file from loaded `ImageClasses`.

        Args:
            path: the file; it is mapped into memory, read-only, and never unpickled.

        Raises:
            DataError: the file is missing, damaged, or no `.npy` file.
            BadInput: it holds neither uint8 nor float32 values.
        """
        path = Path(path).expanduser()
        if not path.is_file():
            raise DataError(f"There is no file {path}; write one with np.save(path, data.images).")
        try:
            array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(
                f"{path} is damaged or no .npy file that can be mapped ({error}); write it with "
                "np.save(path, data.images)."
            ) from error
        if not isinstance(array, np.ndarray):
            array.close()
            raise DataError(
                f"{path} is an .npz file, which cannot be mapped; write its images as an .npy file "
                "with np.save(path, image_arrays(...).images)."
            )
        return cls(array)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(
        self, index: tuple[Int[Array, " n"], Int[Array, " n"]]
    ) -> Shaped[Array, "n ..."]:
        """The images `[n, ...]` at class numbers `[n]` and item numbers `[n]`."""
        rows, items = index
        drawn = jax.ShapeDtypeStruct((*rows.shape, *self.shape[2:]), self.dtype)
        return jax.pure_callback(self._gather, drawn, rows, items, vmap_method="expand_dims")

    def _gather(self, rows: Any, items: Any) -> np.ndarray:
        """On the host. Under `vmap` one of the two may have a first axis of size 1."""
        rows, items = np.asarray(rows), np.asarray(items)
        _read_ahead(self._array, rows, items)
        return self._array[rows, items]


def _read_ahead(array: np.ndarray, rows: np.ndarray, items: np.ndarray) -> None:
    """Ask the system for the drawn images of a mapped file, all at once.

    Otherwise each is waited for by itself, and the system, which takes it that a file is read in
    order, reads some megabytes around every image.
    """
    file = array.base
    if not isinstance(file, mmap.mmap) or not array.flags.c_contiguous:
        return
    if not hasattr(mmap, "MADV_WILLNEED"):  # on Windows
        return
    for start, length in _spans(array, rows, items):
        # It is only advice: a system that will not take it reads the same images later, and of
        # numbers that are out of bounds the reading itself says more.
        with contextlib.suppress(OSError, ValueError):
            file.madvise(mmap.MADV_WILLNEED, start, length)


def _spans(array: Any, rows: np.ndarray, items: np.ndarray) -> list[tuple[int, int]]:
    """Where the images lie in the map: starts of pages, and lengths."""
    # The map begins at a page, the array behind the file's header; files are longer than int32.
    first = array.offset % mmap.ALLOCATIONGRANULARITY
    rows, items = rows.astype(np.int64), items.astype(np.int64)
    starts = first + rows * array.strides[0] + items * array.strides[1]
    length = math.prod(array.shape[2:]) * array.itemsize
    return [(s - s % mmap.PAGESIZE, s % mmap.PAGESIZE + length) for s in starts.ravel().tolist()]
