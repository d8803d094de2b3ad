"""A memory behind a layer that reads."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs

KEY = jax.random.key(0)


def test_a_reader_reads_the_observation_only():
    """With f = relu(2 o), a memory of (o, rest) = (−1, 2, 5) is told (0, 4, 5)."""
    layer = qs.Linear(jnp.array([[2.0, 0.0], [0.0, 2.0]]), jnp.zeros(2))
    memory = qs.GRU.create(3, 5, key=KEY)
    reader = qs.Reader.create(memory, 2, observed=2, key=KEY)
    reader = eqx.tree_at(lambda r: r.network.layers, reader, (layer,))
    _, found = reader.step(reader.initial(), jnp.array([-1.0, 2.0, 5.0]))
    _, wanted = memory.step(memory.initial(), jnp.array([0.0, 4.0, 5.0]))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
