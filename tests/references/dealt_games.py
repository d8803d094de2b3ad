"""Games to play in tests, and how one of given rules is dealt."""

import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.envs.games.game import Games
from quickstudy.envs.games.rules import GROUPS, SHAPE

GAMES = Games()
KEY_0, KEY_1 = jax.random.split(jax.random.key(0))
KEYS = jax.random.split(KEY_0, 500)


def some(tasks, index):
    """One of many games, or a slice of them."""
    return jax.tree.map(lambda leaf: leaf[index], tasks)


def combine(**rules):
    """The combination of the rules named; the first of each group if none is."""
    chosen = [
        list(names).index(rules.get(group, next(iter(names)))) for group, names in GROUPS.items()
    ]
    return jnp.array(np.ravel_multi_index(chosen, SHAPE))
