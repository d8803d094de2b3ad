"""Reptile: its direction by hand, and its minibatches."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from references.one_wave import KEY, MODEL, RATE, SETTINGS, TASK, close, flat, gradient


def test_reptile_moves_towards_what_fine_tuning_finds():
    """A batch as large as the task, plain descent: φ by hand on everything."""
    learner = qs.Reptile(MODEL, qs.Rate(RATE), steps=2, batch=12, **SETTINGS)
    everything = [
        jnp.concatenate([getattr(s, n) for s in (TASK.support, TASK.query)]) for n in "xy"
    ]
    phi = MODEL
    for _ in range(2):
        slope = jax.grad(lambda m: qs.squared_error(m(everything[0]), everything[1]))(phi)
        phi = jax.tree.map(lambda p, g: p - RATE * g, phi, slope)
    wanted = flat(MODEL) - flat(phi)
    close(flat(gradient(learner)), wanted)


def test_what_the_rule_keeps_moves_towards_what_a_task_makes_of_it():
    """v by hand, of two steps on everything; learned rates, which no rule keeps, stay."""
    learner = qs.Reptile(MODEL, qs.KeptAdam.like(MODEL, RATE), steps=2, batch=12, **SETTINGS)
    x, y = (jnp.concatenate([getattr(s, n) for s in (TASK.support, TASK.query)]) for n in "xy")
    phi, v, weight = MODEL, jax.tree.map(jnp.zeros_like, MODEL), 0.0
    for _ in range(2):
        slope = jax.grad(lambda m: qs.squared_error(m(x), y))(phi)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v, slope)
        weight = 0.999 * weight + 0.001
        phi = jax.tree.map(lambda p, g, v, w=weight: p - RATE * g / jnp.sqrt(v / w), phi, slope, v)
    found = gradient(learner)
    close(flat(found.model), flat(MODEL) - flat(phi))
    close(flat(found.rule.moments), -flat(v))
    np.testing.assert_allclose(found.rule.weight, -weight, rtol=1e-5)
    rates = qs.Reptile(MODEL, qs.LearnedRates.like(MODEL, RATE), steps=2, batch=12, **SETTINGS)
    assert not np.any(flat(gradient(rates).rule))


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
