"""All classes of a data set as one task, for what is pre-trained on them."""

import equinox as eqx
import jax
import numpy as np
import pytest

import quickstudy as qs

KEY = jax.random.key(0)
PIXELS = np.arange(6 * 4, dtype=np.float32).reshape(6, 4, 1)


def test_all_classes_are_labelled_by_their_own_number():
    """Item i of class c holds 4 c + i."""
    episodes = qs.Episodes(PIXELS, ways=2, shots=1, queries=1)
    tasks = qs.AllClasses(episodes, batch=200)
    task = eqx.filter_jit(tasks.sample)(KEY)
    np.testing.assert_array_equal(task.query.x[:, 0] // 4, task.query.y)
    assert set(task.query.y.tolist()) == set(range(6)), "every class is drawn"
    assert set(task.query.x[:, 0].tolist()) == set(range(24)), "and every item"
    assert task.query.ways == tasks.classes == 6


def test_rotations_are_classes_of_their_own():
    corner = np.zeros((2, 3, 4, 4), np.uint8)
    corner[:, :, 0, 0] = 255
    corner[1, :, 1, 1] = 255
    tasks = qs.AllClasses(qs.Episodes(corner, ways=2, shots=1, queries=1, turns=4), batch=64)
    task = eqx.filter_jit(tasks.sample)(KEY)
    assert tasks.classes == 8
    pictures = {}
    for x, y in zip(np.asarray(task.query.x), task.query.y.tolist(), strict=True):
        assert pictures.setdefault(y, x.tobytes()) == x.tobytes()
    assert len(set(pictures.values())) == 8


def test_items_beyond_a_count_are_never_drawn():
    counts = np.array([2, 2, 4, 4, 4, 4])
    episodes = qs.Episodes(PIXELS, ways=2, shots=1, queries=1, counts=counts)
    task = eqx.filter_jit(qs.AllClasses(episodes, batch=300).sample)(KEY)
    assert not {2, 3, 6, 7} & set(task.query.x[:, 0].tolist())


def test_an_empty_batch():
    episodes = qs.Episodes(PIXELS, ways=2, shots=1, queries=1)
    with pytest.raises(qs.BadInput, match="batch is 0"):
        qs.AllClasses(episodes, batch=0)
