"""Tensors in a file that PyTorch saved before its version 1.6, read without running anything.

Such a file is a sequence of pickles and then the numbers themselves:

    a magic number, a protocol version, facts of the system     three pickles
    names and, for each tensor, its storage, shape and strides   the fourth
    the keys of all storages, in the order in which they follow  the fifth
    for each storage: how many numbers (int64), and the numbers

A pickle is a program that may call whatever it names. This reader knows four names, stands its
own harmless values in for them, and refuses every other name before it is looked up.
"""

import io
import math
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

from quickstudy.errors import DataError

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


class _Storage(NamedTuple):
    """A run of numbers that stands further on in the file."""

    dtype: str
    key: str
    numel: int


class _View(NamedTuple):
    """A tensor: where in a storage its entries are, counted in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(data: bytes, *, name: str) -> dict[str, np.ndarray]:
    """The tensors in a file of PyTorch's old format, by name.

    Args:
        data: the file's contents.
        name: the file's, for messages.

    Returns:
        name -> float32 or int64 array.

    Raises:
        DataError: the file names anything but dictionaries and tensors of float32 and int64, is
            not of this format, or is damaged.
    """
    file = io.BytesIO(data)
    try:
        if (_unpickle(file), _unpickle(file)) != (MAGIC, VERSION):
            raise DataError(f"{name} is not a file that PyTorch saved in its old format")
        _unpickle(file)
        views = _unpickle(file)
        numbers = dict(_numbers(file, _unpickle(file), views))
        return {key: _array(view, numbers) for key, view in views.items()}
    except DataError as error:
        raise DataError(f"{error} ({name})") from None
    except Exception as error:
        # A damaged pickle may raise nearly anything: it calls what it finds with what it finds.
        raise DataError(f"{name} is damaged or not a file of tensors: {error!r}") from error


class _Reader(pickle.Unpickler):
    """Knows four names. Their stand-ins can be changed by nothing that a pickle can say: strings,
    a bound method, and a class of the interpreter's own."""

    def find_class(self, module: str, name: str, /) -> Any:
        """The stand-in for `module.name`."""
        known: dict[str, Any] = {
            "collections.OrderedDict": OrderedDict,
            "torch._utils._rebuild_tensor_v2": self.view,
            "torch.FloatStorage": "<f4",
            "torch.LongStorage": "<i8",
        }
        if f"{module}.{name}" not in known:
            raise DataError(
                f"the file asks for {module}.{name}, which has no place in a file of weights; "
                "nothing was run"
            )
        return known[f"{module}.{name}"]

    def persistent_load(self, pid: Any, /) -> _Storage:
        """A storage, as the pickle refers to it."""
        kind, dtype, key, _, numel, _ = pid
        if kind != "storage":
            raise DataError(f"the file refers to {kind!r}, where only storages are known")
        return _Storage(dtype, key, numel)

    def view(self, storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _View:
        """What stands for `_rebuild_tensor_v2`; its further arguments are about gradients."""
        return _View(storage, offset, tuple(shape), tuple(strides))


def _unpickle(file: io.BytesIO) -> Any:
    return _Reader(file).load()


def _numbers(file: io.BytesIO, keys: list[str], views: dict[str, _View]) -> Any:
    """Every storage's key and numbers."""
    storages = {view.storage.key: view.storage for view in views.values()}
    for key in keys:
        dtype, numel = np.dtype(storages[key].dtype), storages[key].numel
        if int.from_bytes(file.read(8), "little") != numel:
            raise DataError(f"storage {key} is not as long as its tensors say")
        yield key, np.frombuffer(file.read(numel * dtype.itemsize), dtype, numel)


def _array(view: _View, numbers: dict[str, np.ndarray]) -> np.ndarray:
    """The tensor's entries, found with bounds checked."""
    own = numbers[view.storage.key]
    # NumPy counts a negative index from the end; and with strides of 0 a small storage could be
    # asked for an array of any size.
    if min(view.offset, 0, *view.strides) < 0 or math.prod(view.shape) > own.size:
        raise DataError(f"a tensor of shape {view.shape} does not lie within its storage")
    index = np.array(view.offset)
    for length, stride in zip(view.shape, view.strides, strict=True):
        index = index[..., None] + stride * np.arange(length)
    return np.asarray(own[index])
