"""Reptile: its direction by hand, and its minibatches."""

import dataclasses

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


def drawn(learner, examples, key=KEY):
    """The examples of each minibatch, by their number, of real ones alone."""
    batches = learner._batches(examples, key)
    np.testing.assert_array_equal(batches.y, 2 * batches.x)
    real = np.ones(batches.x.shape[:2], bool) if batches.real is None else batches.real
    return [x[own].tolist() for x, own in zip(np.asarray(batches.x)[..., 0], real, strict=True)]


def joined(batches):
    return [one for batch in batches for one in batch]


def numbered(n):
    return qs.Examples(jnp.arange(float(n))[:, None], 2 * jnp.arange(float(n))[:, None])


def test_reptile_goes_through_all_examples_without_replacement():
    """Five minibatches of 4 see each of 20 examples once, and the next five again, in another
    order."""
    learner = qs.Reptile(MODEL, steps=10, batch=4, **SETTINGS)
    found = drawn(learner, numbered(20))
    first, second = joined(found[:5]), joined(found[5:])
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != sorted(second)
    assert first != joined(drawn(learner, numbered(20), jax.random.key(1))[:5])
    # A minibatch may end one order and begin the next.
    over = joined(drawn(qs.Reptile(MODEL, steps=5, batch=5, **SETTINGS), numbered(8)))
    assert sorted(over[:8]) == sorted(over[8:16]) == list(range(8))
    assert len(set(over[16:24])) == 8


def test_reptile_goes_through_what_is_real():
    examples = dataclasses.replace(numbered(9), real=jnp.arange(9) % 3 > 0)  # six of nine
    found = drawn(qs.Reptile(MODEL, steps=4, batch=3, **SETTINGS), examples)
    for epoch in (found[:2], found[2:]):
        assert sorted(joined(epoch)) == [1, 2, 4, 5, 7, 8]
    for batch in drawn(qs.Reptile(MODEL, steps=4, batch=9, **SETTINGS), examples):
        assert sorted(batch) == [1, 2, 4, 5, 7, 8]


def test_reptile_refuses_minibatches_larger_than_a_task():
    with pytest.raises(qs.BadInput, match=r"minibatches of 50 and a task has 12"):
        qs.Reptile(MODEL, batch=50, **SETTINGS).check(TASK)
