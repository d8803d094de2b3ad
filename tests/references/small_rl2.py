"""RL² on bandits of three arms, small enough for exact comparisons."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs
from quickstudy.rl.rl2 import RL2
from quickstudy.training.algorithm import update

KEY = jax.random.key(0)
BANDIT = qs.Trial(qs.Bandit(arms=3), episodes=4)


def head(outputs):
    return qs.Linear.create(6, outputs, key=KEY)


def rl2(improvement, trial=BANDIT, trials=12, **settings):
    policy = qs.MetaPolicy.create(trial, qs.GRU.create(trial.inputs, 6, key=KEY))
    policy = eqx.tree_at(lambda p: (p.actor, p.critic), policy, (head(3), head(1)))
    return RL2(policy, trial, improvement, trials, 16, **settings)


def updated(algorithm):
    return eqx.filter_jit(update)(algorithm, algorithm.init(), KEY, jnp.zeros(()))


def close(a, b, tolerance=2e-5):
    for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)
