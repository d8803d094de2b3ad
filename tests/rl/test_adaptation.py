"""Adapting by policy-gradient steps: advantages by hand, and what is replayed."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.bandit import Arms
from quickstudy.rl.adaptation import Trajectories, of_every
from quickstudy.rl.baseline import Baseline
from quickstudy.rl.reactive import Reactive

KEY = jax.random.key(0)
BANDIT = qs.Bandit(arms=2)


class Half(Baseline):
    """Half of what comes."""

    def values(self, observations, targets, real):
        return targets / 2


def test_advantages_by_hand():
    """γ = λ = ½; rewards 4, 2, 4 | 2, and what follows the second trajectory's end is absurd.

    G = 6, 4, 4 | 2, V = 3, 2, 2 | 1, δ = 4 + 1 − 3, 2 + 1 − 2, 4 − 2 | 2 − 1 = 2, 1, 2 | 1;
    with γλ = ¼ A = 2⅜, 1½, 2 | 1, of mean 1 23/32 and variance 0.26855.
    """
    adaptation = qs.Adaptation(
        BANDIT, qs.Rate(0.1), qs.LVC(), 2, discount=0.5, decay=0.5, baseline=Half()
    )
    real = jnp.array([[True, True, True], [True, False, False]])
    rewards = jnp.array([[4.0, 2.0, 4.0], [2.0, 1e6, -1e5]])
    paths = Trajectories(jnp.zeros((2, 3, 1)), jnp.zeros((2, 3), int), rewards, 0 * rewards, real)
    found, unit = jax.jit(adaptation.measured)(paths)
    np.testing.assert_allclose(unit, 0.26855469**0.5, rtol=1e-6)
    wanted = np.array([[0.65625, -0.21875, 0.28125], [-0.71875, 0.0, 0.0]]) / 0.26855469**0.5
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(adaptation.advantage)(paths), found, rtol=1e-6)


def test_inner_advantages_have_a_discount_and_a_decay_of_their_own():
    """Steps follow the advantages of the inner γ and λ, policies are scored by those of the others;
    of which one is not given, it is the other's."""
    paid = jax.random.normal(KEY, (3, 5))
    paths = Trajectories(jnp.zeros((3, 5, 1)), jnp.zeros((3, 5), int), paid, 0 * paid, paid < 9)

    def found(**settings):
        adaptation = qs.Adaptation(BANDIT, qs.Rate(0.1), qs.LVC(), 3, **settings)
        return adaptation.advantage(paths), adaptation.measured(paths).advantage

    outer, both = {"discount": 0.9, "decay": 0.8}, {"inner_discount": 0.5, "inner_decay": 0.0}
    inner, scored = found(**outer, **both)
    np.testing.assert_array_equal(scored, found(**outer)[0])
    np.testing.assert_array_equal(inner, found(discount=0.5, decay=0.0)[0])
    mixed = found(**outer, inner_decay=0.0)
    np.testing.assert_array_equal(mixed[0], found(discount=0.9, decay=0.0)[0])
    assert not np.allclose(inner, scored, atol=0.1)


def test_what_is_replayed_is_what_was_done():
    """The adapted policy from stored trajectories gives the actions the probability that they were
    chosen with: ratios are 1 before the first outer step."""
    policy = Reactive.create(BANDIT, (4,), key=KEY)
    policy = eqx.tree_at(lambda p: p.head, policy, qs.Linear.create(4, 2, key=KEY))
    adaptation = qs.Adaptation(BANDIT, qs.Rate(0.5), qs.LVC(), trajectories=6)
    task = Arms(jnp.array([0.2, 0.7]))
    sets, after = eqx.filter_jit(adaptation.run)(policy, task, 2, jax.random.key(1))
    there = eqx.filter_jit(adaptation.replay)(policy, sets)
    actions = there.actions(jnp.zeros((6, 0)))
    again = jax.vmap(type(actions).log_prob)(actions, after.action[:, 0])
    np.testing.assert_allclose(again, after.log_prob[:, 0], atol=1e-6)
    before = policy.actions(jnp.zeros((6, 0)))
    assert not np.allclose(
        again, jax.vmap(type(before).log_prob)(before, after.action[:, 0]), atol=1e-3
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trajectories": 0}, "trajectories is 0"),
        ({"discount": 1.5}, r"discount is 1\.5"),
        ({"decay": -0.5}, r"decay is -0\.5"),
        ({"inner_discount": 1.5}, r"inner_discount is 1\.5"),
        ({"inner_decay": -0.5}, r"inner_decay is -0\.5"),
    ],
)
def test_what_cannot_be(settings, message):
    with pytest.raises(qs.BadInput, match=message):
        qs.Adaptation(BANDIT, qs.Rate(0.1), qs.LVC(), **settings)


def test_every_nth_of_any_axis():
    stored = {"a": jnp.arange(5), "b": jnp.arange(10).reshape(5, 2)}
    found = of_every(2, stored)
    assert found["a"].tolist() == [0, 2, 4]
    assert found["b"].tolist() == [[0, 1], [4, 5], [8, 9]]
    assert of_every(2, stored["b"], axis=1)[:, 0].tolist() == [0, 2, 4, 6, 8]
