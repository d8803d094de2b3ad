"""What remembers nothing: neither the past, nor what an input tells of it."""

import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs

MEMORY = qs.Memoryless.create(4, observed=2, key=jax.random.key(0))


def test_only_the_observation_is_read():
    x = jnp.array([1.0, 2.0, 3.0, 4.0])
    _, found = MEMORY.step(MEMORY.initial(), x)
    np.testing.assert_array_equal(MEMORY.step((), x.at[2:].set(9.0))[1], found)
    assert not np.array_equal(MEMORY.step((), x.at[1].set(9.0))[1], found)


def test_it_remembers_nothing():
    assert MEMORY.initial() == ()
    assert MEMORY.reach == 0
    xs = jnp.ones((3, 4)).at[0].set(5.0)
    _, hs = MEMORY.sequence((), xs, jnp.zeros(3, bool))
    np.testing.assert_array_equal(hs[1], hs[2])
