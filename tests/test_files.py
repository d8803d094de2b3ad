"""A file is replaced whole or not at all, and the cache is where one says."""

import os
import stat

import pytest

from quickstudy.files import cache_folder, replacing


@pytest.fixture
def target(tmp_path):
    file = tmp_path / "folder" / "file"
    file.parent.mkdir()
    file.write_bytes(b"old")
    return file


def test_the_new_file_is_there_when_the_block_ends(target):
    with replacing(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["file"]


def test_an_error_leaves_the_old_file_and_nothing_else(target):
    def broken():
        with replacing(target) as file:
            file.write(b"half")
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        broken()
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["file"]


def test_folders_are_made(tmp_path):
    with replacing(tmp_path / "a" / "b" / "c") as file:
        file.write(b"new")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"new"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_permissions_are_those_of_any_new_file(target, mask):
    before = os.umask(mask)
    try:
        with replacing(target) as file:
            file.write(b"new")
        assert os.umask(mask) == mask, "the mask was read and left as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def test_the_cache_can_be_chosen_and_has_a_place_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    for nothing in ("", None):
        monkeypatch.setenv("QUICKSTUDY_CACHE", nothing or "")
        assert cache_folder().name == "quickstudy"
