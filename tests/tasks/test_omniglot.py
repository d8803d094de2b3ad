"""Omniglot's files and protocols: on a small made-up set, and on the real one where it is."""

import hashlib
import io
import json
import zipfile

import jax
import numpy as np
import pytest
from PIL import Image

from quickstudy.errors import BadInput, DataError
from quickstudy.progress import silent
from quickstudy.tasks import omniglot as module
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.omniglot import LAKE_VALIDATION, PROTOCOLS, Omniglot, load_omniglot, omniglot

PARTS = {
    "images_background": ["Zulu/character01", "Alpha/character02", "Alpha/character01"],
    "images_evaluation": ["Moon/character01"],
}


def drawing(row):
    image = Image.new("1", (105, 105), 1)
    image.paste(0, (10, 5 * row, 95, 5 * row + 8))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def write_zip(path, characters, drawings=20, extra=None):
    with zipfile.ZipFile(path, "w") as archive:
        for character in characters:
            for i in range(drawings):
                archive.writestr(f"{path.stem}/{character}/0001_{i:02}.png", drawing(i))
        if extra:
            archive.writestr(extra, b"")


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with two small zips, and an own cache."""
    monkeypatch.setattr(module, "CHARACTERS", {part: len(c) for part, c in PARTS.items()})
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("QUICKSTUDY_DATA", raising=False)
    for part, characters in PARTS.items():
        write_zip(tmp_path / f"{part}.zip", characters)
    return tmp_path


def test_characters_are_sorted_named_and_drawn_in_light_ink(small):
    data = load_omniglot(small)
    assert data.classes.names == (
        "Alpha/character01",
        "Alpha/character02",
        "Moon/character01",
        "Zulu/character01",
    )
    assert data.alphabets == ("Alpha", "Moon", "Zulu")
    assert data.classes.groups.tolist() == [0, 0, 1, 2]
    assert data.background.tolist() == [True, True, False, True]
    assert data.classes.images.shape == (4, 20, 28, 28)
    assert data.classes.images[0, 0, 1, 14] == 255
    assert data.classes.images[0, 0, 20, 14] == 0


def test_unpacked_folders_a_sub_folder_and_the_variable_serve_too(small, monkeypatch):
    packed = load_omniglot(small).classes.images
    unpacked = small / "elsewhere" / "omniglot"
    for part in PARTS:
        zipfile.ZipFile(small / f"{part}.zip").extractall(unpacked)
    monkeypatch.setenv("QUICKSTUDY_DATA", str(unpacked.parent))
    np.testing.assert_array_equal(load_omniglot().classes.images, packed)


def test_the_second_load_reads_the_cache_and_notices_new_files(small, monkeypatch):
    first = load_omniglot(small).classes.images
    decode = module._decode
    monkeypatch.setattr(module, "_decode", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(load_omniglot(small).classes.images, first)
    monkeypatch.setattr(module, "_decode", decode)
    write_zip(small / "images_evaluation.zip", ["Sun/character01"])
    assert "Sun" in load_omniglot(small).alphabets
    for file in (small / "cache").glob("*.npz"):
        file.write_bytes(file.read_bytes()[:500])
    np.testing.assert_array_equal(load_omniglot(small).classes.images[0], first[0])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:3000]), "truncated or not a zip"),
        (lambda p: p.unlink(), "no images_background.zip"),
        (lambda p: write_zip(p, PARTS[p.stem][:2]), "2 characters instead of 3"),
        (lambda p: write_zip(p, PARTS[p.stem], drawings=19), "19 drawings of Alpha/character01"),
        (lambda p: write_zip(p, [], extra="../../evil.png"), r"'\.\./\.\./evil\.png'"),
        (lambda p: write_zip(p, [], extra="/etc/evil.png"), "leads out"),
        (lambda p: write_zip(p, [], extra="a\\..\\evil.png"), "leads out"),
    ],
)
def test_a_spoilt_zip_is_refused(small, spoil, message):
    spoil(small / "images_background.zip")
    with pytest.raises(DataError, match=message):
        load_omniglot(small)


def test_a_damaged_drawing_is_named(small):
    folder = small / "images_background"
    zipfile.ZipFile(small / "images_background.zip").extractall(small)
    (small / "images_background.zip").unlink()
    (folder / "Alpha" / "character01" / "0001_07.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"Alpha/character01/0001_07\.png"):
        load_omniglot(small)


def test_without_data_both_zips_are_downloaded_once_and_checked(small, monkeypatch):
    monkeypatch.setattr(module, "URL", small.as_uri() + "/")
    with pytest.raises(DataError, match="68d2efa1b9178cc56df9314c21c6e718 was expected"):
        load_omniglot()
    assert not list((small / "cache" / "omniglot").iterdir())
    hashes = {
        part: hashlib.md5((small / f"{part}.zip").read_bytes(), usedforsecurity=False).hexdigest()
        for part in PARTS
    }
    monkeypatch.setattr(module, "MD5", hashes)
    seen = []
    assert len(load_omniglot(progress=lambda *now: seen.append(now)).classes) == 4
    assert {what for what, _, _ in seen} >= {f"{part}.zip" for part in PARTS}
    monkeypatch.setattr(module, "fetch", lambda *_: pytest.fail("downloaded again"))
    assert len(load_omniglot().classes) == 4


BACKGROUND = """
Alphabet_of_the_Magi 20, Anglo-Saxon_Futhorc 29, Arcadian 26, Armenian 41, Asomtavruli_(Georgian)
40, Balinese 24, Bengali 46, Blackfoot_(Canadian_Aboriginal_Syllabics) 14, Braille 26,
Burmese_(Myanmar) 34, Cyrillic 33, Early_Aramaic 22, Futurama 26, Grantha 43, Greek 24, Gujarati
48, Hebrew 22, Inuktitut_(Canadian_Aboriginal_Syllabics) 16, Japanese_(hiragana) 52,
Japanese_(katakana) 47, Korean 40, Latin 26, Malay_(Jawi_-_Arabic) 40, Mkhedruli_(Georgian) 41,
N_Ko 33, Ojibwe_(Canadian_Aboriginal_Syllabics) 14, Sanskrit 42, Syriac_(Estrangelo) 23, Tagalog
17, Tifinagh 55
"""
EVALUATION = """
Angelic 20, Atemayar_Qelisayer 26, Atlantean 26, Aurek-Besh 26, Avesta 26, Ge_ez 26, Glagolitic
45, Gurmukhi 45, Kannada 41, Keble 26, Malayalam 47, Manipuri 40, Mongolian 30,
Old_Church_Slavonic_(Cyrillic) 45, Oriya 46, Sylheti 28, Syriac_(Serto) 23, Tengwar 25, Tibetan
42, ULOG 26
"""


def counted(listed):
    """Alphabets, and how many characters each has."""
    parts = (one.rpartition(" ") for one in " ".join(listed.split()).split(", "))
    return {name: int(count) for name, _, count in parts}


@pytest.fixture(scope="module")
def blank():
    """Omniglot's 1,623 characters by name, without ink: enough to look at the splits."""
    background, evaluation = counted(BACKGROUND), counted(EVALUATION)
    every = sorted((background | evaluation).items())
    names = tuple(f"{name}/character{i + 1:02}" for name, n in every for i in range(n))
    alphabets, groups = np.unique([n.split("/")[0] for n in names], return_inverse=True)
    images, counts = np.zeros((1623, 20, 4, 4), np.uint8), np.full(1623, 20, np.int32)
    classes = ImageClasses(images, names, counts, groups.astype(np.int32))
    known = np.array([name.split("/")[0] in background for name in names])
    return Omniglot(classes, tuple(alphabets.tolist()), known)


@pytest.fixture
def use_blank(blank, monkeypatch):
    monkeypatch.setattr(module, "load_omniglot", lambda data=None, progress=silent: blank)


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_no_character_is_in_two_splits_in_any_rotation(protocol, use_blank):
    splits = {s: set(omniglot(protocol, s).names) for s in ("train", "validation", "test")}
    assert not splits["train"] & splits["test"]
    assert not splits["validation"] & splits["test"]
    assert not splits["train"] & splits["validation"]
    assert sum(map(len, splits.values())) == 1623
    assert set(omniglot(protocol, "train+validation").names) == (
        splits["train"] | splits["validation"]
    )


@pytest.mark.parametrize(
    ("protocol", "sizes", "test_episodes"),
    [
        ("finn2017", (1100, 100, 1200, 423), 600),
        ("snell2017", (4112, 688, 4800, 1692), 1000),
        ("lake2015", (780, 184, 964, 659), 1000),
        ("random-characters", (4112, 688, 4800, 1692), 1000),
    ],
)
def test_protocols_are_frozen(protocol, sizes, test_episodes, use_blank):
    splits = ("train", "validation", "train+validation", "test")
    assert tuple(omniglot(protocol, s).classes for s in splits) == sizes
    assert PROTOCOLS[protocol].test_episodes == test_episodes


def test_the_random_class_lists_never_change(blank):
    # A published number rests on these lists: a change must be a new protocol.
    digests = {
        name: hashlib.sha256(
            np.asarray(PROTOCOLS[name].splits(blank)["test"], "<i4").tobytes()
        ).hexdigest()[:16]
        for name in ("finn2017", "random-characters")
    }
    assert digests == {"finn2017": "7ed410586593d61a", "random-characters": "b6dbf84281969b31"}


def test_snell_s_list_separates_alphabets(blank, use_blank):
    """But Gurmukhi, of which the last four characters are of the test."""
    names = {s: omniglot("snell2017", s).names for s in ("train", "validation", "test")}
    alphabets = {s: {n.split("/")[0] for n in own} for s, own in names.items()}
    assert {s: len(own) for s, own in alphabets.items()} == {
        "train": 33,
        "validation": 5,
        "test": 13,
    }
    assert alphabets["train"] & alphabets["test"] == {"Gurmukhi"}
    assert not alphabets["validation"] & (alphabets["train"] | alphabets["test"])
    last = [n for n in names["test"] if n.startswith("Gurmukhi")]
    assert last == [f"Gurmukhi/character{i}" for i in (42, 43, 44, 45)]
    for split, alphabet in (
        ("train", "Latin"), ("train", "Angelic"), ("validation", "Hebrew"), ("test", "Tibetan"),
    ):  # fmt: skip
        assert alphabet in alphabets[split], "evaluation alphabets are in training, too"
    random = omniglot("random-characters", "test").names
    assert len({n.split("/")[0] for n in random}) == 50


def test_snell_s_list_is_the_published_one(omniglot_data, use_blank):
    """Held against a copy of the lists, where it stands beside the data."""
    file = omniglot_data / "omniglot" / "snell2017.json"
    if not file.exists():
        pytest.skip(f"there is no {file}")
    lists = json.loads(file.read_text(encoding="utf-8"))
    for split, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        ranges = {a: map(int, r.split("-")) for a, r in lists[name].items()}
        wanted = {
            f"{alphabet}/character{i:02}"
            for alphabet, (first, last) in ranges.items()
            for i in range(first, last + 1)
        }
        assert set(omniglot("snell2017", split).names) == wanted


def test_characters_of_other_names_have_no_list(small, monkeypatch):
    with pytest.raises(DataError, match=r"snell2017 .* by their official names"):
        omniglot("snell2017", "test", data=small)


def test_defaults_are_the_protocols(use_blank):
    finn = omniglot("finn2017", "train", shots=5)
    assert (finn.ways, finn.shots, finn.queries) == (5, 5, 5)
    snell = omniglot("snell2017", "train"), omniglot("snell2017", "test", ways=20)
    assert [(t.ways, t.queries) for t in snell] == [(60, 5), (20, 5)]
    lake = omniglot("lake2015", "test")
    assert (lake.ways, lake.queries) == (20, 1)
    assert lake.groups is not None


def test_unknown_names_are_refused(use_blank):
    with pytest.raises(BadInput, match="finn2017"):
        omniglot("finn2018", "train")
    with pytest.raises(BadInput, match="no split 'dev'"):
        omniglot("finn2017", "dev")


def test_the_real_characters(omniglot_data):
    data = load_omniglot(omniglot_data)
    assert data.classes.images.shape == (1623, 20, 28, 28)
    assert len(data.alphabets) == 50
    assert data.background.sum() == 964
    assert len(np.unique(data.classes.groups[data.background])) == 30
    assert 0.05 < data.classes.images.mean() / 255 < 0.12
    assert set(LAKE_VALIDATION) <= set(data.alphabets)
    tasks = omniglot("lake2015", "test", data=omniglot_data)
    task = tasks.sample(jax.random.key(0))
    assert task.support.x.shape == (20, 28, 28, 1)
    assert float(task.support.x.max()) == 1.0
