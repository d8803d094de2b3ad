"""Bandits with the numbers of RL²'s paper: p ~ U[0, 1] for each arm, and a pull pays 1 or 0."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs

KEY, MANY = jax.random.key(0), 4000


def test_arms_are_uniform_and_independent():
    p = np.asarray(jax.vmap(qs.Bandit(arms=3).sample)(jax.random.split(KEY, MANY)).p)
    quantiles = np.quantile(p, [0.1, 0.25, 0.5, 0.75, 0.9], axis=0)
    wanted = np.array([0.1, 0.25, 0.5, 0.75, 0.9])[:, None]
    np.testing.assert_allclose(quantiles, np.broadcast_to(wanted, (5, 3)), atol=0.03)
    assert np.abs(np.corrcoef(p.T) - np.eye(3)).max() < 0.06


def test_a_pull_pays_one_as_often_as_the_arm_says():
    bandit, task = qs.Bandit(arms=3), qs.Bandit(arms=3).sample(KEY)
    task = eqx.tree_at(lambda t: t.p, task, jnp.array([0.0, 0.3, 1.0]))
    for arm, p in enumerate(task.p):
        step = jax.vmap(lambda key, arm=arm: bandit.step(key, None, jnp.array(arm), task))
        found = step(jax.random.split(KEY, MANY))
        assert set(np.unique(found.reward)) <= {0.0, 1.0}
        assert abs(float(found.reward.mean() - p)) < 0.03
        assert found.done.all(), "an episode is one pull"
    assert bandit.horizon == 1
