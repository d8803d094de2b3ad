"""Memories of sets by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs

KEY = jax.random.key(0)


def plain(*rows):
    """One linear layer without biases."""
    weight = jnp.array(rows, jnp.float32)
    network = qs.MLP(*weight.shape[:1], weight.shape[1:], key=KEY)
    return eqx.tree_at(lambda own: own.layers[0].weight, network, weight)


def test_a_mean_by_hand():
    """φ(x) = 2x and ρ(r, x) = 3r + x: after 1 and 4 the mean is 5, and 15 + 10 = 25."""
    memory = qs.MeanMemory(plain([2.0]), plain([3.0], [1.0]), features=1)
    xs, never = jnp.array([[1.0], [4.0]]), jnp.zeros(2, bool)
    state, hs = memory.sequence(memory.initial(), xs, never)
    assert hs.tolist() == [[7.0], [19.0]]  # 3 · 2 + 1, 3 · 5 + 4
    assert memory.read(state, jnp.array([10.0])).tolist() == [25.0]
    assert memory.read(memory.initial(), jnp.array([10.0])).tolist() == [10.0]


def test_means_of_unequal_classes_by_hand():
    """Inputs 1, 2 and 6 of the first class, 10 of the second, none of the third: with φ(x) = 2x
    the means are 6, 20 and 0. Labels have a length of 5, of which nothing is seen."""
    tell = jnp.eye(8)[:, jnp.array([0, 1, 2])]  # ρ answers with the three means
    memory = qs.ClassMeanMemory(plain([2.0]), plain(*tell), features=1, ways=3)
    label = 5 * jnp.eye(3)[jnp.array([0, 1, 0, 0])]
    xs = jnp.concatenate([jnp.array([[1.0], [10.0], [2.0], [6.0]]), label, jnp.ones((4, 1))], -1)
    state, hs = memory.sequence(memory.initial(), xs, jnp.zeros(4, bool))
    assert hs.tolist() == [[2, 0, 0], [2, 20, 0], [3, 20, 0], [6, 20, 0]]
    asked = jnp.array([7.0, 0, 0, 0, 0])
    assert memory.read(state, asked).tolist() == [6, 20, 0]
    assert memory.step(state, asked)[1].tolist() == [6, 20, 0], "a query is of no class"


def test_an_attentive_memory_by_hand():
    """Key x and value 2x of inputs 0 and log 3; the query 1 shares out ¼ and ¾ of 0 and 2 log 3,
    and beside them ρ adds the query itself."""
    memory = qs.AttentiveMemory(
        plain([1.0, 2.0]), plain([1.0]), plain([1.0], [1.0]), 1, 4, features=1
    )
    xs = jnp.array([[0.0], [jnp.log(3.0)]])
    state, _ = memory.sequence(memory.initial(), xs, jnp.zeros(2, bool))
    found = memory.read(state, jnp.array([1.0]))
    np.testing.assert_allclose(found, [0.75 * 2 * np.log(3) + 1], rtol=1e-6)
    np.testing.assert_allclose(memory.read(memory.initial(), jnp.array([1.0])), [1.0])
