"""Emoji: classes that four artists share, their fixed splits, drawn once and kept."""

import os
from pathlib import Path

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.emoji import ARTISTS, count_emoji, emoji_classes, split_of
from quickstudy.tasks.icon_sets import IconSet
from references.icon_packages import CLASSES, code, colour, contents, icon_packages, packed

SPLITS = ("train", "validation", "test")
SIZE = 8


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUICKSTUDY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return icon_packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def draws_nothing(monkeypatch):
    def draw(*_):
        raise AssertionError("it was drawn before")

    monkeypatch.setattr(IconSet, "draw", draw)


def test_a_class_is_one_emoji_by_four_artists(packages):
    seen = []
    for split in SPLITS:
        data = emoji_classes(split, size=SIZE, data=packages)
        numbers = [int(name.removeprefix("face-")) for name in data.names]
        wanted = [[colour(number, artist) for artist in range(4)] for number in numbers]
        assert np.array_equal(data.images[:, :, 0, 0], wanted)
        assert data.images.shape == (len(data), 4, SIZE, SIZE, 3)
        assert data.images.dtype == np.uint8
        assert {split_of(code(number)) for number in numbers} == {split}
        assert count_emoji(split, packages) == len(data) >= 5
        seen += numbers
    assert sorted(seen) == list(range(CLASSES))


def test_splits_are_frozen():
    """They depend on nothing but the code points, so that new versions move no class."""
    known = {"1f600": "train", "1f607": "validation", "2764": "test", "30-20e3": "train"}
    assert {code: split_of(code) for code in known} == known
    numbers = [split_of(f"{number:x}") for number in range(20_000)]
    shares = [numbers.count(split) / 20_000 for split in SPLITS]
    assert np.allclose(shares, (0.64, 0.16, 0.2), atol=0.02)


def test_drawn_once_and_kept(packages, draws_nothing):
    for size in (SIZE, 224, 12):
        emoji_classes("test", size=size, data=packages)


def test_other_packages_are_drawn_anew(packages, tmp_path, draws_nothing):
    other = icon_packages(tmp_path / "other")
    emoji_classes("test", size=SIZE, data=other)
    parts = contents(3)
    parts["icons.json"]["icons"]["face-0"]["body"] = "<circle r='9'/>"
    packed(other / "iconify-json-openmoji-1.2.3.tgz", parts)
    with pytest.raises(AssertionError, match="drawn before"):
        emoji_classes("test", size=SIZE, data=other)


def test_progress_and_licences_are_told_when_drawn(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("QUICKSTUDY_DATA", str(tmp_path))
    icon_packages(tmp_path / "emoji", 7)
    told = []
    for _ in range(2):
        emoji_classes("train", size=SIZE, progress=lambda *now: told.append(now))
    assert told == [("Drawing emoji", done, 7) for done in range(1, 8)]
    licences = "; ".join(f"{name} by A. Tist, MIT" for name in ARTISTS)
    assert caplog.messages == [f"7 emoji are drawn by four artists: {licences}"]


def test_a_damaged_cache_is_drawn_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path / "cache"))
    folder = icon_packages(tmp_path / "emoji", 3)
    first = emoji_classes("train", size=SIZE, data=folder).images
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(emoji_classes("train", size=SIZE, data=folder).images, first)


def test_only_what_all_four_draw(tmp_path):
    folder = icon_packages(tmp_path, 9)
    packed(folder / "iconify-json-twemoji-1.2.1.tgz", contents(1, 6))
    assert sum(count_emoji(split, folder) for split in SPLITS) == 6
    parts = contents(1, 0)
    packed(folder / "iconify-json-twemoji-1.2.1.tgz", parts)
    with pytest.raises(DataError, match="have no emoji in common"):
        count_emoji("train", folder)


def test_episodes(packages):
    tasks = qs.emoji("train", data=packages, size=SIZE, ways=5, shots=1, queries=3)
    task = tasks.sample(jax.random.key(0))
    assert task.support.x.shape == (5, SIZE, SIZE, 3)
    assert task.query.x.shape == (15, SIZE, SIZE, 3)
    for label in range(5):
        own = task.query.x[task.query.y == label][:, 0, 0]
        greens = sorted([*own[:, 1], *task.support.x[task.support.y == label][:, 0, 0, 1]])
        assert np.allclose(greens, np.array([0, 60, 120, 180]) / 255)
        assert len(set(own[:, 0].tolist())) == 1
    with pytest.raises(BadInput, match=r"2 shots \+ 3 queries need 5 items per class, .* has 4"):
        qs.emoji("train", data=packages, size=SIZE, ways=5, shots=2, queries=3)


@pytest.mark.parametrize("size", [0, 225])
def test_sizes_that_cannot_be(size, packages):
    with pytest.raises(BadInput, match=f"size is {size}; emoji are drawn at 224×224"):
        emoji_classes("train", size=size, data=packages)


def test_splits_that_cannot_be(packages):
    with pytest.raises(BadInput, match="no split 'tests'"):
        emoji_classes("tests", data=packages)


def test_no_folder_given(monkeypatch):
    monkeypatch.delenv("QUICKSTUDY_DATA", raising=False)
    with pytest.raises(DataError, match=r"(?s)not downloaded.*npm pack @iconify-json/openmoji"):
        emoji_classes("train")


def test_the_published_packages():
    folder = Path(os.environ.get("QUICKSTUDY_DATA", "")) / "emoji"
    if not folder.is_dir():
        pytest.skip("QUICKSTUDY_DATA names no folder with a sub-folder emoji")
    assert [count_emoji(split, folder) for split in SPLITS] == [1023, 268, 285]
