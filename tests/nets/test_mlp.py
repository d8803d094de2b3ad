"""The multilayer perceptron by hand."""

import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs

KEY = jax.random.key(0)


def test_mlp_by_hand():
    mlp = qs.MLP(1, (2, 1), key=KEY)
    layers = (
        qs.Linear(jnp.array([[1.0, -1.0]]), jnp.array([0.0, 1.0])),
        qs.Linear(jnp.array([[2.0], [3.0]]), jnp.array([0.5])),
    )
    mlp = eqx.tree_at(lambda m: m.layers, mlp, layers)
    # x = 2: hidden (2, max(−1, 0)); x = −1: hidden (0, 2).
    assert mlp(jnp.array([[2.0], [-1.0]])).tolist() == [[4.5], [6.5]]


def test_mlp_keeps_the_variance():
    mlp = qs.MLP(200, (200, 200, 200), key=KEY)
    x = jax.random.normal(jax.random.key(1), (100, 200))
    assert float(jnp.var(mlp(x))) == pytest.approx(1, abs=0.4)


def test_sizes_are_whole_numbers_of_one_or_more():
    with pytest.raises(qs.BadInput, match=r"inputs is -1; give a whole number of 0 or more"):
        qs.MLP(-1, (2,), key=jax.random.key(0))
    assert qs.MLP(0, (2,), key=jax.random.key(0))(jnp.ones((3, 0))).shape == (3, 2)
    with pytest.raises(qs.BadInput, match=r"sizes is \(2, 0\); give one or more whole numbers"):
        qs.MLP(1, (2, 0), key=jax.random.key(0))


@pytest.mark.parametrize("activation", [jax.nn.relu, jnp.tanh, jax.nn.gelu, abs])
def test_functions_of_jax_are_pickled_by_their_names(activation):
    mlp = qs.MLP(1, (2, 1), activation=activation, last=jax.nn.elu, key=KEY)
    other = pickle.loads(pickle.dumps(mlp))
    assert (other.activation, other.last) == (activation, jax.nn.elu)
    assert bool(eqx.tree_equal(mlp, other))


def test_a_function_without_a_name_is_refused_by_pickle():
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(qs.MLP(1, (2, 1), last=lambda x: x, key=KEY))
