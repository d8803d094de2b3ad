"""Files are whole or not at all, and JSON is plain and short."""

import errno
import json
import os

import pytest

from quickstudy.errors import BadInput, CheckpointError
from quickstudy.writing import demand_files, write_atomically, write_json


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state"


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.skipif(os.name != "posix", reason="permissions of other systems are not a number")
def test_two_files_have_two_names(tmp_path):
    with pytest.raises(BadInput, match="--json and --page are the same file"):
        demand_files(json=tmp_path / "a", page=tmp_path / "a", save=None)


def test_files_have_the_permissions_of_new_files(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"1")
    finally:
        os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("call", ["fsync", "replace", "fdopen"])
def test_full_disk_leaves_the_old_file(file, monkeypatch, call):
    write_atomically(file, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full_disk)
        with pytest.raises(CheckpointError, match=r"No space left on device.*Free some space"):
            write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_interrupted_write_leaves_the_old_file(file, monkeypatch):
    """Ctrl-C in the middle of a write."""

    def interrupt(*_):
        raise KeyboardInterrupt

    write_atomically(file, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_the_data_reach_the_disk_before_the_name(file, monkeypatch):
    """fsync, then rename, then fsync of the folder: the order that survives a power cut."""
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, name=name, real=real: (calls.append(name), real(*a))
        )
    write_atomically(file, b"new")
    assert calls == ["fsync", "replace", "fsync"]


def test_what_json_cannot_say_is_null_and_the_rest_comes_back(file):
    value = {"a": {"b": [1, 2.5, "ü", None, True]}, "c": [[1], []], "d": [{"e": ()}], "f": {}}
    write_json(file, {**value, "g": [float("nan"), float("inf")]})
    found = json.loads(file.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found == {**value, "d": [{"e": []}], "g": [None, None]}


def test_a_thousand_numbers_are_one_line(file):
    write_json(file, {"scores": [0.25] * 1000, "of": {"data": "glyphs"}})
    assert len(file.read_text().splitlines()) == 6
    assert file.stat().st_size < 7000


def test_a_name_of_other_bytes_comes_back(file):
    """Of a folder whose name is no UTF-8, as Python tells it."""
    name = os.fsdecode(b"V\xf6gel")
    write_json(file, {name: [name]})
    assert json.loads(file.read_text(encoding="utf-8")) == {name: [name]}
