"""The mean square of the features of first policies, E‖φ‖², to which updates are in proportion.

python results/features.py navigation cheetah ant
"""

import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs
from quickstudy.experiments.recipes import RECIPES
from quickstudy.rl.first_weights import Glorot, He
from quickstudy.rl.host_rollout import host_rollouts
from quickstudy.rl.rl2 import trials_in_a_row

EPISODES, SEEDS = 20, 5


def observations(problem):
    """What random actions lead to, `[steps, ...]`, in as many tasks as episodes."""
    trial = qs.Trial(problem.environment("train", EPISODES), 1)
    actor, key = qs.Random(trial.environment), jax.random.key(0)
    host = getattr(trial.environment, "host", None)
    if host is not None:
        with problem.closing(host):
            paths = host_rollouts(actor, trial, key, EPISODES)
    else:
        one = lambda key: trials_in_a_row(actor, trial, key)  # noqa: E731
        paths = eqx.filter_jit(jax.vmap(one))(jax.random.split(key, EPISODES))
    return np.asarray(paths.seen.observation)[np.asarray(paths.real)]


for name in sys.argv[1:]:
    problem = RECIPES[f"maml-{name}"].problem
    seen = jnp.asarray(observations(problem))
    flat = seen.reshape(len(seen), -1)
    for first in (Glorot(), He()):
        sizes = []
        for key in jax.random.split(jax.random.key(0), SEEDS):
            features = first.body(flat.shape[1], (100, 100), key=key)(flat)
            sizes.append(float(jnp.mean(jnp.sum(features**2, 1))))
        print(f"{name}, {type(first).__name__}: {np.mean(sizes):.3g} ({np.round(sizes, 2)})")
