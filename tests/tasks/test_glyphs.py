"""The embedded default: enough distinct classes, each seen in twelve faces."""

import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.tasks import glyphs as module
from quickstudy.tasks.glyphs import distinct_classes, glyphs, load_glyphs


@pytest.fixture(scope="module")
def data():
    return load_glyphs()


def test_about_fifteen_hundred_classes_in_twelve_faces(data):
    assert data.images.shape[1:] == (12, 28, 28)
    assert data.images.dtype == np.uint8
    assert 1400 < len(data) < 1700
    assert len(set(data.names)) == len(data)


def test_none_is_blank_and_all_are_centred(data):
    ink = data.images > 0
    assert ink.any((2, 3)).all()
    for axis in (2, 3):
        seen = ink.any(5 - axis)
        first, last = seen.argmax(2), 27 - seen[:, :, ::-1].argmax(2)
        assert np.abs(first + last - 27).max() <= 2, "not centred"
        assert (last - first).max() <= 20, "no margin"


def test_look_alikes_of_other_scripts_are_dropped(data):
    assert "LATIN CAPITAL LETTER A" in data.names
    assert "GREEK CAPITAL LETTER OMEGA" in data.names
    for name in (
        "GREEK CAPITAL LETTER ALPHA",
        "CYRILLIC CAPITAL LETTER A",
        "CYRILLIC SMALL LETTER O",
        "SUPERSCRIPT TWO",
        "COMBINING GRAVE ACCENT",
        "SPACE",
    ):
        assert name not in data.names


def test_of_classes_that_look_alike_the_first_stays():
    rng = np.random.RandomState(0)
    images = rng.randint(0, 256, (4, 3, 8, 8)).astype(np.uint8)
    images[2] = images[0]
    images[3, 1] = 0
    assert distinct_classes(images).tolist() == [0, 1]
    images[2] = np.where(np.indices((3, 8, 8)).sum(0) % 9 == 0, 255, images[0])
    assert distinct_classes(images, alike=0.999).tolist() == [0, 1, 2]


def test_the_splits_are_disjoint_and_cover_everything(data):
    names = [glyphs(split).names for split in ("train", "validation", "test")]
    assert len({n for part in names for n in part}) == sum(map(len, names)) == len(data)


def test_the_second_load_reads_the_cache(data, monkeypatch):
    monkeypatch.setattr(module, "_render", lambda *_: pytest.fail("drawn again"))
    np.testing.assert_array_equal(load_glyphs().images, data.images)


def test_what_cannot_work_is_refused():
    with pytest.raises(BadInput, match="no split 'dev'"):
        glyphs("dev")
    with pytest.raises(BadInput, match="need 13 items"):
        glyphs("test", shots=5, queries=8)
