"""A policy without memory: where it starts, and what it reads."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.rl.first_weights import Glorot, He
from quickstudy.rl.reactive import Reactive, context_of
from references.pictured import Pictured

KEY = jax.random.key(0)


def test_a_gaussian_is_measured_in_limits():
    """A mean of 1 and a deviation of 1 are the most that can be done."""
    walk = qs.Navigation()
    policy = Reactive.create(walk, (4,), key=KEY, first=He())
    policy = eqx.tree_at(lambda p: p.head.bias, policy, jnp.ones(2))
    found = policy.actions(jnp.zeros((1, 2)))
    np.testing.assert_allclose(found.mean, np.full((1, 2), walk.actions.limit))
    seen = jax.tree.map(lambda x: x, qs.Trial(walk, 1).begin(KEY, walk.sample(KEY))[1])
    state, action, note = policy.act(None, seen, key=KEY)
    assert state is None
    one = jax.tree.map(lambda x: x[0], policy.actions(seen.observation[None]))
    np.testing.assert_allclose(note, one.log_prob(action), rtol=1e-6)


def test_discrete_actions_have_no_deviation():
    policy = Reactive.create(qs.Bandit(arms=3), (4,), key=KEY)
    assert policy.actions(jnp.zeros((2, 0))).logits.shape == (2, 3)
    assert policy.log_std is None


@pytest.mark.parametrize("first", [Glorot(), He()])
def test_a_context_is_read_from_the_first_step_on(first):
    """The head's weights are small and not zero, or no gradient would reach the context."""
    policy = Reactive.with_context(qs.Bandit(arms=3), (4,), 2, key=KEY, first=first)
    assert context_of(policy).tolist() == [0, 0]

    def liked(context):
        there = eqx.tree_at(context_of, policy, context)
        return there.actions(jnp.zeros((1, 0))).logits[0, 0]

    assert jnp.any(jax.grad(liked)(jnp.zeros(2)))
    assert 0 < float(jnp.abs(policy.head.weight).max()) < 1.1


def test_pictures_are_read_first():
    """And a context stands beside what was read. Gradients reach the convolution."""
    shown, seen = Pictured(), jnp.ones((3, Pictured.observation_shape[0]))
    for policy in (
        Reactive.create(shown, (6, 8), key=KEY),
        Reactive.with_context(shown, (6, 8), 2, key=KEY),
    ):
        assert policy.sight(seen).shape == (3, 6 + 2)
        assert policy.actions(seen).logits.shape == (3, 2)
        there = eqx.tree_at(lambda p: p.head.weight, policy, jnp.ones((8, 2)).at[:, 1].set(0))

        def first(policy):
            return policy.actions(seen).logits[0, 0]

        slopes = eqx.filter_grad(first)(there)
        assert jnp.any(slopes.sight.eyes[0].kernels[0])
    assert Reactive.create(qs.Bandit(), (4,), key=KEY).sight is None
