"""Classes of many sizes."""

import numpy as np

from quickstudy.estimators.heads.labelled import Labelled


def unbalanced(n, d, ways, seed=0):
    """Classes of many sizes; the last has a single example."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(ways).repeat(2), rng.integers(0, ways, n - 2 * ways - 1), [ways]])
    x = rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(ways + 1, d))[y] + 3
    return Labelled(x, y, ways + 1)
