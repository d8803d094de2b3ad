"""Sinusoid tasks have the published ranges and a known truth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.tasks.sinusoid import Sinusoid, Wave
from quickstudy.tasks.task import sample_batch

TASKS = Sinusoid(shots=5, queries=10)
KEYS = jax.random.split(jax.random.key(0), 4000)


def test_ranges_are_the_papers():
    waves = jax.jit(jax.vmap(TASKS.truth))(KEYS)
    x = sample_batch(TASKS, jax.random.key(0), 400).support.x
    for values, (low, high) in (
        (waves.amplitude, (0.1, 5.0)),
        (waves.phase, (0.0, np.pi)),
        (x, (-5.0, 5.0)),
    ):
        uniform = (np.asarray(values) - low) / (high - low)
        assert -1e-6 < uniform.min() < 0.01
        assert 0.99 < uniform.max() < 1 + 1e-6
        assert abs(uniform.mean() - 0.5) < 0.02


def test_shapes_and_kind():
    task = TASKS.sample(KEYS[0])
    assert task.support.x.shape == task.support.y.shape == (5, 1)
    assert task.query.x.shape == task.query.y.shape == (10, 1)
    assert task.support.ways is None


def test_the_truth_has_no_error_and_the_phase_delays():
    task, wave = TASKS.sample(KEYS[1]), TASKS.truth(KEYS[1])
    for examples in (task.support, task.query):
        # Where the sine is near zero, what counts is the rounding of its argument.
        rounding = 1e-6 * float(wave.amplitude)
        np.testing.assert_allclose(wave(examples.x), examples.y, rtol=1e-6, atol=rounding)
    delayed = Wave(jnp.array(3.0), jnp.array(0.5))(jnp.array([[0.5], [0.5 + np.pi / 2]]))
    np.testing.assert_allclose(delayed, [[0.0], [3.0]], atol=1e-6)


def test_what_cannot_work_is_refused():
    with pytest.raises(BadInput, match="shots is 0"):
        Sinusoid(shots=0)
    with pytest.raises(BadInput, match="smaller end first"):
        Sinusoid(amplitude=(5.0, 0.1))
