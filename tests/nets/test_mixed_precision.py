"""Computing in bfloat16 with weights in float32."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.nets.mixed_precision import MixedPrecision

KEY = jax.random.key(0)


def conv4(norm="layer"):
    return qs.Conv4((8, 8, 1), filters=4, norm=norm, downsample="stride", key=KEY)


X = jax.random.normal(jax.random.key(1), (6, 8, 8, 1))


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_near_the_network_and_not_it(norm):
    """The distance of bfloat16's rounding, 2⁻⁸: more would be an error, and none no rounding."""
    exact = conv4(norm)
    found, wanted = MixedPrecision(exact)(X), exact(X)
    distance = float(jnp.max(jnp.abs(found - wanted)) / jnp.max(jnp.abs(wanted)))
    assert 1e-4 < distance < 5e-2
    assert found.dtype == jnp.float32


def test_gradients_are_float32_and_near():
    exact = qs.Conv4((28, 28, 1), filters=32, downsample="stride", key=KEY)
    x = jax.random.normal(jax.random.key(1), (20, 28, 28, 1))

    @eqx.filter_jit
    def slope(network):
        gradient = eqx.filter_grad(lambda network: jnp.sum(jnp.sin(network(x))))(network)
        return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(gradient)])

    found, wanted = slope(MixedPrecision(exact)), slope(exact)
    assert found.dtype == jnp.float32
    distance = float(jnp.linalg.norm(found - wanted) / jnp.linalg.norm(wanted))
    assert 1e-3 < distance < 0.1


def test_every_product_is_bfloat16():
    """In the program, not only at its ends."""
    program = jax.make_jaxpr(lambda x: MixedPrecision(conv4())(x))(X)
    kinds = {
        v.aval.dtype
        for equation in jax.tree.leaves(program.eqns)
        if "convolution" in str(equation.primitive) or "dot_general" in str(equation.primitive)
        for v in equation.invars
    }
    assert kinds <= {jnp.dtype(jnp.bfloat16)}


def test_support_statistics_are_kept():
    network = MixedPrecision(conv4("support"))
    seen = network.condition(X)
    np.testing.assert_allclose(seen(X), network(X), rtol=0.05, atol=0.05)
    assert float(jnp.max(jnp.abs(seen(X[:2]) - network(X[:2])))) > 0.05
    assert {leaf.dtype for leaf in jax.tree.leaves(seen)} == {jnp.dtype("float32")}


def test_small_steps_of_the_weights_are_not_lost():
    """A step of 10⁻⁵ of weights near 1 is below bfloat16's resolution, and kept."""
    network = MixedPrecision(qs.Linear(jnp.ones((3, 1)), jnp.zeros(1)))
    step = optax.sgd(1e-5)
    gradient = eqx.filter_grad(lambda network: jnp.sum(network(jnp.ones((1, 3)))))(network)
    updates, _ = step.update(gradient, step.init(network))
    moved = eqx.apply_updates(network, updates)
    assert float(jnp.max(moved.network.weight)) < 1.0
