"""The restricted reader: tensors come out, and nothing that a file names is run."""

import io
import os
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest

from quickstudy.errors import DataError
from quickstudy.features.torch_file import MAGIC, VERSION, read_tensors


class Named:
    """Pickled as a call of what has this name."""

    def __init__(self, module, name, *arguments):
        self.path, self.arguments = (module, name), arguments


class Writer(pickle._Pickler):
    """Writes names that need not exist, and storages as PyTorch refers to them."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(b"c" + "\n".join(obj.path).encode() + b"\n")
            if obj.arguments:
                super().save(obj.arguments)
                self.write(pickle.REDUCE)
            return
        super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        return obj[1:] if isinstance(obj, tuple) and obj[:1] == ("persistent",) else None


def pickled(*values):
    file = io.BytesIO()
    for value in values:
        Writer(file, 2).dump(value)
    return file.getvalue()


def tensor(key, kind, numel, shape, strides, offset=0):
    storage = ("persistent", "storage", Named("torch", kind), key, "cpu", numel, None)
    arguments = (storage, offset, shape, strides, False, OrderedDict())
    return Named("torch._utils", "_rebuild_tensor_v2", *arguments)


def file_of(views, storages):
    head = pickled(MAGIC, VERSION, {"little_endian": True}, views, list(storages))
    tail = b"".join(struct.pack("<q", len(s)) + s.tobytes() for s in storages.values())
    return head + tail


NUMBERS = {"7": np.arange(6, dtype="<f4"), "9": np.array([5], "<i8")}


def test_tensors_come_out_with_shapes_and_strides():
    views = OrderedDict(
        rows=tensor("7", "FloatStorage", 6, (2, 3), (3, 1)),
        transposed=tensor("7", "FloatStorage", 6, (3, 2), (1, 3)),
        part=tensor("7", "FloatStorage", 6, (2,), (2,), offset=1),
        scalar=tensor("9", "LongStorage", 1, (), ()),
    )
    found = read_tensors(file_of(views, NUMBERS), name="x.pth")
    np.testing.assert_array_equal(found["rows"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["transposed"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(found["part"], [1, 3])
    assert found["scalar"] == 5
    assert found["scalar"].dtype == np.int64


@pytest.mark.parametrize(
    "evil",
    [
        Named("os", "system", "touch RUN"),
        Named("builtins", "eval", "open('RUN', 'w')"),
        Named("torch", "load", "RUN"),
        Named("torch", "HalfStorage"),
        Named("collections", "Counter", "RUN"),
        Named("torch._utils", "_rebuild_tensor_v2.__call__"),
    ],
    ids=lambda evil: ".".join(evil.path),
)
@pytest.mark.parametrize("place", range(5))
def test_other_names_are_refused_by_name_and_not_run(evil, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = [MAGIC, VERSION, {}, OrderedDict(), []]
    parts[place] = evil
    with pytest.raises(DataError, match=".".join(evil.path)):
        read_tensors(pickled(*parts), name="x.pth")
    assert not os.listdir(tmp_path)


def test_the_refused_names_would_run_elsewhere(tmp_path, monkeypatch):
    """The control: Python's own reader does what the first of them says."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickled(Named("os", "system", "touch RUN")))
    assert os.listdir(tmp_path) == ["RUN"]


@pytest.mark.parametrize(
    "view",
    [
        tensor("7", "FloatStorage", 6, (7,), (1,)),
        tensor("7", "FloatStorage", 6, (2,), (1,), offset=5),
        tensor("7", "FloatStorage", 6, (2,), (-1,), offset=5),
        tensor("7", "FloatStorage", 6, (2,), (1,), offset=-1),
        tensor("7", "FloatStorage", 6, (1000, 1000), (0, 0)),
        tensor("7", "FloatStorage", 5, (2,), (1,)),
        tensor("8", "FloatStorage", 6, (2,), (1,)),
        "not a tensor",
    ],
)
def test_views_outside_their_storage_are_refused(view):
    own = {"7": NUMBERS["7"]}
    inside = tensor("7", "FloatStorage", 6, (2,), (1,), offset=4)
    assert read_tensors(file_of(OrderedDict(w=inside), own), name="x.pth")["w"].tolist() == [4, 5]
    with pytest.raises(DataError, match=r"x\.pth"):
        read_tensors(file_of(OrderedDict(w=view), own), name="x.pth")


@pytest.mark.parametrize("keep", [0, 1, 20, 100, -1, -20])
def test_cut_files_are_refused(keep):
    data = file_of(OrderedDict(w=tensor("7", "FloatStorage", 6, (6,), (1,))), {"7": NUMBERS["7"]})
    with pytest.raises(DataError, match=r"x\.pth"):
        read_tensors(data[:keep], name="x.pth")


def test_files_of_another_format_are_refused():
    with pytest.raises(DataError, match="old format"):
        read_tensors(pickled(MAGIC + 1, VERSION), name="x.pth")
    with pytest.raises(DataError, match="damaged"):
        read_tensors(b"PK\x03\x04" + bytes(100), name="x.pth")
