"""Grids, mazes and games as problems, and their oracles."""

import jax
import numpy as np
import pytest

from quickstudy.experiments.problems.grids import GameFamily, GridNaviFamily, MazeFamily
from references.recipes import typed

KEY = jax.random.key(0)


def test_the_optimum_of_a_grid_is_that_of_its_goal():
    """The straight walk is not longer than the optimum's, and a goal beside the start is found
    sooner than one in the corner."""
    recipe = typed("rl2-gridnavi", "--trial-episodes 2")
    references = recipe.method.references(recipe.problem, recipe.problem.trial("test"), 0)
    best, known = (references[name](KEY, 50) for name in ("Bayes optimum", "goal known"))
    assert best.shape == known.shape == (50, 2)
    assert (best[:, 0] <= known[:, 0] + 1e-6).all()
    assert len(np.unique(best[:, 0])) > 5


def test_each_is_the_family_of_its_settings():
    assert GridNaviFamily().environment("test").size == 5
    assert MazeFamily(size=7).environment("test").size == 7
    assert MazeFamily().changed({"size": 9}).size == 9, "evaluate may ask for larger mazes"
    assert [f().trial_episodes for f in (GridNaviFamily, MazeFamily, GameFamily)] == [4, 2, 6]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_games_are_of_their_split(split):
    assert GameFamily().environment(split).split == split


def test_their_oracles_know_the_task():
    known = [list(f().oracles(f().trial("test"))) for f in (GridNaviFamily, MazeFamily, GameFamily)]
    assert known == [["goal known"], ["maze known"], ["game known"]]
