from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import quickstudy as qs
from quickstudy.errors import DataError
from quickstudy.features import cache
from quickstudy.features.preparation import Preparation


@pytest.fixture
def decoded(monkeypatch):
    """The images that were decoded."""
    seen, prepare = [], Preparation.__call__

    def watched(self, picture):
        seen.append(picture)
        return prepare(self, picture)

    monkeypatch.setattr(Preparation, "__call__", watched)
    return seen


def make(name="mean", **settings):
    return qs.encoder(lambda x: x.mean((1, 2)), name=name, size=(4, 4), **settings)


def files(folder, levels):
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{level}.png" for level in levels]
    for path, level in zip(paths, levels, strict=True):
        Image.fromarray(np.full((5, 5, 3), level, np.uint8)).save(path)
    return paths


def test_a_second_run_decodes_nothing(tmp_path, decoded):
    paths = files(tmp_path / "images", range(7))
    first = qs.encoded(make(), paths, folder=tmp_path / "cache")
    assert len(decoded) == 7
    moved = [path.rename(path.with_suffix(".moved")) for path in paths]
    again = qs.encoded(make(), moved[::-1], folder=tmp_path / "cache")
    assert len(decoded) == 7
    np.testing.assert_array_equal(first[:, 0], np.arange(7))
    np.testing.assert_array_equal(again, first[::-1])


def test_only_what_is_new_is_decoded(tmp_path, decoded):
    paths = files(tmp_path / "images", range(4))
    qs.encoded(make(), paths[:3], folder=tmp_path / "cache")
    Image.fromarray(np.full((5, 5, 3), 99, np.uint8)).save(paths[0])
    found = qs.encoded(make(), paths, folder=tmp_path / "cache")
    assert found[:, 0].tolist() == [99, 1, 2, 3]
    assert decoded[3:] == [paths[0], paths[3]]


def test_another_encoder_s_features_are_not_taken(tmp_path, decoded):
    paths = files(tmp_path / "images", range(2))
    for encoder in (make(), make("other"), make(fit="crop")):
        qs.encoded(encoder, paths, folder=tmp_path / "cache")
    assert len(decoded) == 6


def test_arrays_and_repeated_images(tmp_path, decoded):
    images = np.zeros((4, 4, 4, 3), np.uint8)
    images[2] = 9
    found = qs.encoded(make(), images, folder=tmp_path)
    assert found[:, 0].tolist() == [0, 0, 9, 0]
    assert len(decoded) == 2, "equal images are encoded once"
    # The same bytes in another shape are another image.
    qs.encoded(make(), [images[0].reshape(2, 8, 3)], folder=tmp_path)
    assert len(decoded) == 3


def test_progress_counts_to_the_end(tmp_path):
    told = []

    def progress(*call):
        told.append(call)

    images = np.arange(5, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    encoder = make(batch=2)
    qs.encoded(encoder, images, folder=tmp_path, progress=progress)
    assert told == [("encoding", n, 5) for n in (0, 2, 4, 5)]
    told.clear()
    qs.encoded(encoder, images, folder=tmp_path, progress=progress)
    assert told == [("encoding", 5, 5)]


@pytest.mark.parametrize("shard", [2, 512])
def test_an_interrupted_run_goes_on(tmp_path, decoded, monkeypatch, shard):
    monkeypatch.setattr(cache, "SHARD", shard)
    paths = files(tmp_path / "images", range(5))
    broken = tmp_path / "images" / "broken.png"
    broken.write_text("no image")
    with pytest.raises(DataError, match=r"broken\.png"):
        qs.encoded(make(batch=1), [*paths, broken], folder=tmp_path / "c")
    decoded.clear()
    found = qs.encoded(make(batch=1), paths, folder=tmp_path / "c")
    assert not decoded
    assert found[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_damaged_and_half_written_shards_count_as_missing(tmp_path, decoded):
    images = np.arange(3, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    wanted = qs.encoded(make(), images, folder=tmp_path)
    (features,) = (f for f in tmp_path.rglob("*.npy") if ".keys" not in f.name)
    for damage in (lambda: features.write_bytes(features.read_bytes()[:-5]), features.unlink):
        damage()
        np.testing.assert_array_equal(qs.encoded(make(), images, folder=tmp_path), wanted)
    assert len(decoded) == 9
    qs.encoded(make(), images, folder=tmp_path)
    assert len(decoded) == 9


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    images = np.zeros((1, 4, 4), np.uint8)
    assert qs.encoded(make(), images, folder=tmp_path / "file").shape == (1, 3)


def test_many_write_at_once(tmp_path):
    images = np.arange(40, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    with ThreadPoolExecutor(8) as pool:
        parts = [images[i : i + 20] for i in range(0, 20, 2)]
        found = list(pool.map(lambda part: qs.encoded(make(), part, folder=tmp_path), parts))
    for part, features in zip(parts, found, strict=True):
        np.testing.assert_array_equal(features[:, 0], part[:, 0, 0])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"missing\.png"):
        qs.encoded(make(), [tmp_path / "missing.png"], folder=tmp_path)


def test_it_lies_in_the_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path))
    qs.encoded(make(), np.zeros((1, 4, 4), np.uint8))
    assert list((tmp_path / "features" / make().digest).glob("*.keys.npy"))
