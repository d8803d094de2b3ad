"""VariBAD of a few weights, none of which is zero, for exact comparisons."""

import equinox as eqx
import jax
import optax

import quickstudy as qs
from quickstudy.rl.belief import TaskBelief, belief_policy
from quickstudy.rl.decoder import RewardDecoder
from quickstudy.rl.ppo import PPO
from quickstudy.rl.rl2 import RL2
from quickstudy.rl.varibad import VariBAD

KEY = jax.random.key(0)
LATENT = 2


def believing(trial):
    """A policy that prefers some actions, by its belief."""
    keys = jax.random.split(KEY, 5)
    memory = qs.GRU.create(trial.inputs, 6, key=keys[0])
    belief = TaskBelief.create(memory, LATENT, observed=trial.observed, key=keys[1])
    policy = belief_policy(trial, belief, (7,), key=keys[2])
    sizes = (trial.environment.actions.size, 1)
    heads = [qs.Linear.create(7, n, key=k) for n, k in zip(sizes, keys[3:], strict=True)]
    return eqx.tree_at(lambda p: [p.actor.head, p.critic.head], policy, heads)


def varibad(trial, trials=12, *, acting=0.1, learning=0.1, shares=3, **settings):
    """By plain descent, at the rates of the policy and of the model."""
    improvement = PPO(optax.sgd(acting), epochs=2, minibatches=shares)
    decoder = RewardDecoder.create(trial, LATENT, 8, key=jax.random.key(3))
    rl2 = RL2(believing(trial), trial, improvement, trials, 16)
    return VariBAD(rl2, (decoder,), optax.sgd(learning), **{"minibatches": 2} | settings)
