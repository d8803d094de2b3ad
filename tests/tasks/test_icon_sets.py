"""Packages of icons: found packed and unpacked, read without unpacking, drawn on white."""

import re
import sys

import numpy as np
import pytest

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.emoji import ARTISTS
from quickstudy.tasks.icon_sets import find_icon_sets, read_icon_set
from references.icon_packages import (
    colour,
    contents,
    icon_packages,
    packed,
    square,
    unpacked,
)


@pytest.mark.parametrize("where", ["", "@iconify-json", "node_modules/@iconify-json"])
def test_unpacked_packages_are_found(where, tmp_path):
    for artist, name in enumerate(ARTISTS):
        unpacked(tmp_path / where / name, contents(artist, 1))
    found = find_icon_sets(tmp_path, ARTISTS)
    assert found == {name: tmp_path / where / name for name in ARTISTS}


def test_packages_of_longer_names_are_others(tmp_path):
    icon_packages(tmp_path, 1)
    packed(tmp_path / "iconify-json-noto-v1-1.2.3.tgz", contents(0, 1))
    assert find_icon_sets(tmp_path, ARTISTS)["noto"].name == "iconify-json-noto-1.2.0.tgz"


def test_two_versions_are_refused(tmp_path):
    icon_packages(tmp_path, 1)
    packed(tmp_path / "iconify-json-twemoji-2.0.0.tgz", contents(1, 1))
    with pytest.raises(DataError, match=r"twemoji-1\.2\.1\.tgz and .*twemoji-2\.0\.0\.tgz; move"):
        find_icon_sets(tmp_path, ARTISTS)


def test_a_missing_package_is_named_with_the_four_commands(tmp_path):
    (icon_packages(tmp_path, 1) / "iconify-json-openmoji-1.2.3.tgz").unlink()
    with pytest.raises(DataError, match="no iconify-json-openmoji-VERSION") as caught:
        find_icon_sets(tmp_path, ARTISTS)
    asked = [f"npm pack @iconify-json/{name}" for name in ARTISTS]
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == asked


def test_packed_and_unpacked_are_the_same(tmp_path):
    parts = contents(2, 3)
    one = read_icon_set(packed(tmp_path / "a.tgz", parts))
    other = read_icon_set(unpacked(tmp_path / "a", parts))
    assert (one.digest, one.names, one.bodies) == (other.digest, other.names, other.bodies)
    assert one.licence == "fluent-emoji-flat by A. Tist, MIT"
    parts["icons.json"]["icons"]["face-0"] = square(2, (9, 9, 9))
    assert read_icon_set(unpacked(tmp_path / "a", parts)).digest != one.digest


def test_code_points_without_selectors_and_drawings_only(tmp_path):
    parts = contents(0, 1)
    parts["chars.json"] = {"2764-FE0F": "face-0", "1f600": "an-alias"}
    parts["icons.json"]["aliases"] = {"an-alias": {"parent": "face-0", "hFlip": True}}
    assert read_icon_set(packed(tmp_path / "a.tgz", parts)).names == {"2764": "face-0"}


def test_a_drawing_fills_the_square(tmp_path):
    drawn = read_icon_set(packed(tmp_path / "a.tgz", contents(1, 3))).draw("1f602", 20)
    assert drawn.shape == (20, 20, 3)
    assert drawn.dtype == np.uint8
    assert (drawn == colour(2, 1)).all()


def test_other_proportions_are_centred_on_white(tmp_path):
    parts = contents(1, 1)
    parts["icons.json"]["icons"]["face-0"] = {
        "body": '<rect width="36" height="18"/>',
        "height": 18,
    }
    drawn = read_icon_set(packed(tmp_path / "a.tgz", parts)).draw("1f600", 20)
    assert (drawn[:5] == 255).all()
    assert (drawn[5:15] == 0).all()
    assert (drawn[15:] == 255).all()


def test_what_is_no_svg_is_named(tmp_path):
    parts = contents(0, 1)
    parts["icons.json"]["icons"]["face-0"]["body"] = "<rect"
    own = read_icon_set(packed(tmp_path / "a.tgz", parts))
    with pytest.raises(DataError, match=r"a\.tgz: the drawing 'face-0' is no SVG"):
        own.draw("1f600", 20)


def broken(file, how):
    parts = contents(0, 1)
    if how == "no archive":
        file.write_bytes(b"no archive at all")
    elif how == "cut short":
        whole = packed(file, parts).read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
    else:
        if how == "no chars":
            del parts["chars.json"]
        elif how == "a list":
            parts["chars.json"] = []
        else:
            del parts["icons.json"]["icons"]["face-0"]["body"]
        packed(file, parts)


@pytest.mark.parametrize("how", ["no archive", "cut short", "no chars", "a list", "no body"])
def test_damaged_packages_are_named(how, tmp_path):
    file = tmp_path / "a.tgz"
    broken(file, how)
    with pytest.raises(DataError, match=rf"^{re.escape(str(file))} is damaged or no package"):
        read_icon_set(file)


def test_without_resvg(tmp_path, monkeypatch):
    own = read_icon_set(packed(tmp_path / "a.tgz", contents(0, 1)))
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(BadInput, match=r"pip install 'quickstudy\[emoji\]'"):
        own.draw("1f600", 20)
