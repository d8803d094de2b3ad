"""Random MDPs as a problem: their states are counted, and planners stand beside a score."""

import jax
import numpy as np

from quickstudy.experiments.problems.tabular import TabularFamily

PROBLEM = TabularFamily(trial_episodes=2)


def test_states_are_listed_one_by_one():
    mdp = PROBLEM.environment("test")
    assert PROBLEM.states() == mdp.states == mdp.observation_shape[0] == 10


def test_planners_and_an_oracle():
    trial = PROBLEM.trial("test")
    assert list(PROBLEM.planners(trial)) == [
        "UCRL2", "BEB", "optimistic PSRL", "PSRL", "greedy", "ε-greedy"
    ]  # fmt: skip
    assert list(PROBLEM.oracles(trial)) == ["optimum"]


def test_the_optimum_is_the_same_in_every_episode():
    trial = PROBLEM.trial("test")
    found = PROBLEM.oracles(trial)["optimum"](jax.random.key(0), 3)
    assert found.shape == (3, 2)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    # Ten steps, whose rewards have a mean of 1 and of which the best is taken.
    assert (found > 10).all()
