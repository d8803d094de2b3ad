"""Grids, mazes and games as problems, and their oracles."""

import jax
import numpy as np

from references.recipes import typed

KEY = jax.random.key(0)


def test_the_optimum_of_a_grid_is_that_of_its_goal():
    """The straight walk is not longer than the optimum's, and a goal beside the start is found
    sooner than one in the corner."""
    recipe = typed("rl2-gridnavi", "--episodes 2")
    references = recipe.method.references(recipe.problem, recipe.problem.trial("test"), 0)
    best, known = (references[name](KEY, 50) for name in ("Bayes optimum", "goal known"))
    assert best.shape == known.shape == (50, 2)
    assert (best[:, 0] <= known[:, 0] + 1e-6).all()
    assert len(np.unique(best[:, 0])) > 5
