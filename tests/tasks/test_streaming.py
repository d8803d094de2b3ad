"""Images on the host: the episodes of a key are those of the same array on the device."""

import mmap
import pickle
from types import SimpleNamespace
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.errors import BadInput, DataError
from quickstudy.mesh import map_over_tasks
from quickstudy.tasks.all_classes import AllClasses
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.streaming import HostImages, _spans
from quickstudy.tasks.transforms import ClassTurns

IMAGES = np.random.RandomState(0).randint(0, 256, (8, 6, 5, 5, 3)).astype(np.uint8)
COUNTS = np.array([6, 5, 4, 6, 5, 4, 6, 6])
SETTINGS = {
    "uneven, turned": {"ways": 3, "shots": 2, "queries": 1, "counts": COUNTS, "turns": 2},
    "grouped, changed": {
        "ways": 3,
        "shots": 1,
        "queries": 1,
        "groups": np.arange(8) % 2,
        "transform": ClassTurns(),
    },
}


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    return HostImages.open(tmp_path / "images.npy")


PLAIN = {"ways": 3, "shots": 1, "queries": 2}


def both(mapped, settings=PLAIN):
    return Episodes(IMAGES, **settings), Episodes(mapped, **settings)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_episodes_of_a_key_are_those_from_the_device(mapped, name):
    device, host = both(mapped, SETTINGS[name])

    @jax.jit
    def draw(key):
        own = jax.random.fold_in(key, 2)
        return qs.sample_batch(device, key, 4), qs.sample_batch(host, key, 4), host.sample(own)

    expected, found, alone = draw(jax.random.key(3))
    assert eqx.tree_equal(expected, found)
    assert eqx.tree_equal(jax.tree.map(lambda a: a[2], expected), alone), "without vmap"
    assert not eqx.tree_equal(found, draw(jax.random.key(4))[1])


def test_scans_on_several_devices_agree(mapped):
    device, host = both(mapped)

    @jax.jit
    def draw(key):
        spread = map_over_tasks(lambda _, k: host.sample(k), (), key, 5)
        return qs.sample_batch(device, key, 5), spread

    assert eqx.tree_equal(*jax.device_get(draw(jax.random.key(5))))


def test_classes_and_items_may_be_batched_apart(mapped):
    rows, items = jnp.array([[0, 7], [3, 2]]), jnp.array([5, 1])
    found = jax.vmap(lambda r, i: mapped[r, i], (0, None))(rows, items)
    assert np.array_equal(found, IMAGES[np.asarray(rows), np.asarray(items)])
    found = jax.vmap(lambda r, i: mapped[r, i], (None, 0))(items, rows % 6)
    assert np.array_equal(found, IMAGES[np.asarray(items), np.asarray(rows) % 6])
    twice = jax.vmap(jax.vmap(lambda r, i: mapped[r, i], (0, None)), (None, 0))
    found = twice(rows, jnp.stack([items, items - 1]))
    assert np.array_equal(found[1], IMAGES[np.asarray(rows), np.asarray(items) - 1])
    assert found.shape == (2, 2, 2, 5, 5, 3)


def test_all_classes_of_a_file_are_those_from_the_device(mapped):
    device, host = (AllClasses(tasks, batch=7) for tasks in both(mapped))
    expected, found = jax.jit(lambda key: (device.sample(key), host.sample(key)))(jax.random.key(1))
    assert eqx.tree_equal(expected, found)


def test_features_and_arrays_in_memory_serve_too():
    features = np.random.RandomState(1).randn(4, 3, 8).astype(np.float32)
    shape = {"ways": 2, "shots": 1, "queries": 1}
    device, host = Episodes(features, **shape), Episodes(HostImages(features), **shape)
    expected, found = jax.jit(lambda key: (device.sample(key), host.sample(key)))(jax.random.key(1))
    assert eqx.tree_equal(expected, found)


class Flat(eqx.Module):
    """Images to features by one matrix: the least network."""

    weight: jax.Array

    def __call__(self, x):
        return x.reshape(len(x), -1) @ self.weight


def test_training_from_a_file_is_training_from_the_device(mapped):
    """On the tests' two devices: callbacks inside shard_map, scan and the loop over steps."""
    plan = qs.MetaPlan(steps=4, meta_batch=3, validate_every=2, validation_episodes=3)
    began = qs.Prototypical(Flat(jax.random.normal(jax.random.key(0), (75, 4)) / 8))
    device, host = (
        qs.train(began, tasks, validation=tasks, plan=plan, key=jax.random.key(1)).embed.weight
        for tasks in both(mapped)
    )
    np.testing.assert_allclose(device, host, rtol=1e-5, atol=1e-7)
    assert (host != began.embed.weight).any(), "nothing learned"


def test_nothing_is_read_before_it_is_drawn(mapped):
    assert isinstance(mapped._array, np.memmap)
    assert mapped._array.mode == "r"
    assert not jax.tree.leaves(mapped), "the images must not go to the device"
    shapes = eqx.filter_eval_shape(both(mapped)[1].sample, jax.random.key(0))
    assert shapes.support.x.shape == (3, 5, 5, 3)


@pytest.mark.parametrize("shape", [(8, 6, 5, 5, 3), (3, 4, 50, 90), (3, 4, 64, 64)])
def test_what_is_read_ahead_is_what_is_drawn(tmp_path, shape):
    """Spans of the map begin at a page, hold the image, and end with it."""
    images = np.random.RandomState(2).randint(0, 256, shape).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)
    array = HostImages.open(tmp_path / "images.npy")._array
    rows, items = np.array([[0, 1, shape[0] - 1]]), np.array([[3, 0, shape[1] - 1], [1, 1, 2]])
    spans = _spans(array, rows, items)
    drawn = images[rows, items].reshape(6, -1)
    assert len(spans) == len(drawn)
    for (start, length), image in zip(spans, drawn, strict=True):
        assert start % mmap.PAGESIZE == 0
        assert array.base[start : start + length].endswith(image.tobytes())
        assert length < image.nbytes + mmap.PAGESIZE


class Listening(mmap.mmap):
    """A map that notes the advice that it is given."""

    advice: ClassVar[list] = []

    def madvise(self, *given):
        self.advice.append(given)


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="this system takes no such advice")
def test_what_is_drawn_is_read_ahead(tmp_path, monkeypatch):
    np.save(tmp_path / "images.npy", IMAGES)
    monkeypatch.setattr(mmap, "mmap", Listening)
    Listening.advice.clear()
    images = HostImages.open(tmp_path / "images.npy")
    rows, items = np.array([7, 0, 3]), np.array([1, 5, 2])
    jax.block_until_ready(images[jnp.asarray(rows), jnp.asarray(items)])
    spans = _spans(images._array, rows, items)
    assert Listening.advice == [(mmap.MADV_WILLNEED, *span) for span in spans]


def test_files_longer_than_two_gigabytes_are_read_ahead():
    shape, size = (10, 1000, 512, 1024), 512 * 1024
    array = SimpleNamespace(offset=128, strides=(1000 * size, size), shape=shape, itemsize=1)
    rows, items = np.array([9], np.int32), np.array([999], np.int32)
    assert _spans(array, rows, items) == [(9999 * size, 128 + size)]


def test_an_error_on_the_host_reaches_the_user(mapped):
    with pytest.raises(jax.errors.JaxRuntimeError, match="index 9 is out of bounds"):
        jax.block_until_ready(jax.jit(lambda r, i: mapped[r, i])(jnp.array([9]), jnp.array([0])))


def test_episodes_are_checked_as_on_the_device(mapped):
    with pytest.raises(BadInput, match="at least 9 classes; there are 8"):
        Episodes(mapped, ways=9, shots=1, queries=1)
    with pytest.raises(BadInput, match="class 0 has 6"):
        Episodes(mapped, ways=2, shots=1, queries=6)
    assert Episodes(mapped, ways=2, shots=1, queries=1).with_shape(ways=3).ways == 3
    with pytest.raises(BadInput, match="float64"):
        HostImages(np.zeros((3, 2, 4)))


def test_files_that_cannot_be_mapped_are_named(tmp_path):
    np.save(tmp_path / "whole.npy", IMAGES)
    whole = (tmp_path / "whole.npy").read_bytes()
    for length in (0, 20, len(whole) - 1):
        (tmp_path / "cut.npy").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut\.npy is damaged"):
            HostImages.open(tmp_path / "cut.npy")
    np.save(tmp_path / "objects.npy", np.array([[None]]), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(IMAGES))
    for name in ("objects", "pickle"):
        with pytest.raises(DataError, match=rf"{name}\.npy is damaged or no"):
            HostImages.open(tmp_path / f"{name}.npy")
    np.savez(tmp_path / "a.npz", images=IMAGES)
    with pytest.raises(DataError, match=r"a\.npz is an \.npz file, which cannot be mapped"):
        HostImages.open(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"There is no file .*none\.npy"):
        HostImages.open(tmp_path / "none.npy")
