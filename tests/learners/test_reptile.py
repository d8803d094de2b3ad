"""Reptile: its direction by hand, and its minibatches."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from references.one_wave import KEY, MODEL, RATE, SETTINGS, TASK, close, flat, gradient


def test_reptile_moves_towards_what_fine_tuning_finds():
    """A batch as large as the task, plain descent: φ by hand on everything."""
    learner = qs.Reptile(MODEL, optax.sgd(RATE), steps=2, batch=12, **SETTINGS)
    everything = [
        jnp.concatenate([getattr(s, n) for s in (TASK.support, TASK.query)]) for n in "xy"
    ]
    phi = MODEL
    for _ in range(2):
        slope = jax.grad(lambda m: qs.squared_error(m(everything[0]), everything[1]))(phi)
        phi = jax.tree.map(lambda p, g: p - RATE * g, phi, slope)
    wanted = flat(MODEL) - flat(phi)
    close(flat(gradient(learner)), wanted)


def test_reptile_batches_are_parts_of_the_task():
    learner = qs.Reptile(MODEL, batch=5, **SETTINGS)
    examples = qs.Examples(jnp.arange(8.0)[:, None], 2 * jnp.arange(8.0)[:, None])
    batches = learner._batches(examples, KEY)
    assert batches.x.shape == (5, 5, 1)
    for x, y in zip(batches.x[..., 0], batches.y[..., 0], strict=True):
        assert len(set(x.tolist())) == 5
        np.testing.assert_array_equal(y, 2 * x)
    assert len({tuple(sorted(x.tolist())) for x in batches.x[..., 0]}) > 1
    with pytest.raises(qs.BadInput, match=r"minibatches of 50 and a task has 12"):
        qs.Reptile(MODEL, batch=50, **SETTINGS).check(TASK)
