"""What a network is to a learner: layers, heads, and who sees the support set."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets.network import Network, condition, is_transductive
from quickstudy.nets.norm import NORMS, Norm

KEY = jax.random.key(0)


def test_linear_by_hand():
    layer = qs.Linear(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([10.0, 20.0]))
    assert layer(jnp.array([[1.0, 1.0], [2.0, 0.0]])).tolist() == [[14.0, 26.0], [12.0, 24.0]]
    assert qs.Linear.zeros(3, 2)(jnp.ones((1, 3))).tolist() == [[0.0, 0.0]]


def test_condition_reaches_the_body():
    body = qs.Conv4((4, 4, 1), filters=8, norm="support", downsample="stride", key=KEY)
    net = qs.Headed(body, qs.Linear.create(8, 2, key=KEY))
    support, query = jax.random.normal(KEY, (2, 6, 4, 4, 1))
    seen = condition(net, support)
    alone = jnp.concatenate([seen(query[i : i + 1]) for i in range(6)])
    np.testing.assert_allclose(seen(query), alone, rtol=1e-4, atol=1e-5)
    assert float(jnp.max(jnp.abs(net(query) - seen(query)))) > 1e-3


def test_jointly_normalised_by_hand():
    """Each query by the moments of the support set and itself, in every layer."""
    body = qs.Conv4((4, 4, 1), filters=8, norm="joint", downsample="stride", key=KEY)
    net = qs.Headed(body, qs.Linear.create(8, 2, key=KEY))
    support, query = jax.random.normal(KEY, (2, 6, 4, 4, 1))
    found = condition(net, support)(query)
    in_a_batch = eqx.tree_at(lambda net: net.body, net, with_norm(body, "batch"))
    for i in range(6):
        both = jnp.concatenate([support, query[i : i + 1]])
        np.testing.assert_allclose(found[i], in_a_batch(both)[-1], rtol=1e-4, atol=1e-5)
    assert float(jnp.max(jnp.abs(found - net(query)))) > 1e-3


def with_norm(network, name):
    def changed(part):
        return NORMS[name](part.scale, part.shift) if isinstance(part, Norm) else part

    return jax.tree.map(changed, network, is_leaf=lambda part: isinstance(part, Norm))


def test_networks_without_statistics_are_left_alone():
    mlp = qs.MLP(2, (3,), key=KEY)
    assert condition(mlp, jnp.zeros((1, 2))) is mlp
    assert isinstance(mlp, Network)


@pytest.mark.parametrize("norm", NORMS)
def test_transduction_is_found_wherever_it_is(norm):
    body = qs.Conv4((4, 4, 1), filters=8, norm=norm, downsample="stride", key=KEY)
    learner = qs.MAML(qs.Headed(body, qs.Linear.zeros(8, 2)))
    assert is_transductive(learner) == learner.transductive == (norm == "batch")


def test_any_equinox_module_can_be_meta_learned():
    """Its activation function is a leaf that is no array; it is left in place."""
    model = qs.Batched(eqx.nn.MLP(1, 1, 8, 1, activation=jax.nn.tanh, key=KEY))
    learner = qs.MAML(model, inner_lr=0.1, steps=2, loss=qs.squared_error)
    task = qs.Sinusoid(shots=5).sample(KEY)
    gradient, metrics = eqx.filter_jit(lambda: learner.meta_gradient(task))()
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradient))
    before = qs.squared_error(learner.unadapted(task.support)(task.support.x), task.support.y)
    after = qs.squared_error(learner.adapt(task.support)(task.support.x), task.support.y)
    assert float(after) < float(before)
    assert np.isfinite(float(metrics["loss"]))
