"""On an accelerator tasks run in chunks that fit its memory, and the chunks change no result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import chunks
from quickstudy.mesh import map_over_tasks, mean_over_tasks

KEY = jax.random.key(0)
WEIGHTS = jnp.ones((64, 64)) / 64
NEEDS = 3 * 500 * 64 * 4
"""Bytes of a few layers of activations: about what one task of `work` needs."""


def work(weights, key):
    x = jax.random.normal(key, (500, 64))
    for _ in range(4):
        x = jnp.tanh(x @ weights)
    return {"sum": x.sum(), "first": x[0]}


@pytest.fixture
def accelerator(monkeypatch, one_device):
    """JAX says that this is a GPU, with as much memory as is asked for."""
    one_device()

    def of(memory):
        monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
        monkeypatch.setattr(chunks, "device_memory", lambda: memory)

    return of


def test_as_many_as_fit(accelerator):
    assert chunks.at_once(work, WEIGHTS, KEY, 64) == 1, "on a CPU"
    found = {}
    for share in (0, 8, 32, 1000):
        accelerator(share * NEEDS)
        found[share] = chunks.at_once(work, WEIGHTS, KEY, 64)
    assert found[0] == 1
    assert 1 < found[8] < found[32] < 64
    assert found[32] // found[8] in (3, 4, 5)
    assert found[1000] == 64
    accelerator(None)
    assert chunks.at_once(work, WEIGHTS, KEY, 64) == 64


@pytest.mark.parametrize("tasks", [1, 7, 12])
@pytest.mark.parametrize("over", [mean_over_tasks, map_over_tasks])
@pytest.mark.parametrize("memory", [1, 12 * NEEDS, None])
def test_chunks_change_nothing(accelerator, over, memory, tasks):
    wanted = over(work, WEIGHTS, KEY, tasks)
    accelerator(memory)
    found = over(work, WEIGHTS, KEY, tasks)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("over", [mean_over_tasks, map_over_tasks])
def test_memory_does_not_grow_with_the_tasks(accelerator, over):
    def needed(tasks):
        program = jax.jit(lambda weights, key: over(work, weights, key, tasks))
        return program.lower(WEIGHTS, KEY).compile().memory_analysis().temp_size_in_bytes

    accelerator(None)
    everything = needed(48)
    accelerator(12 * NEEDS)
    assert needed(48) < everything / 3
    assert needed(96) < 1.3 * needed(48)
