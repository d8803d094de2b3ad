"""Methods that learn within a trial: how many trials a step has, and that they are scored by
episodes beside planners."""

import jax

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.rl2 import RL2Config
from quickstudy.experiments.policy_method import MOST
from quickstudy.experiments.problems.bandit import BanditFamily
from quickstudy.experiments.problems.bodies import CheetahFamily

METHOD, PROBLEM = RL2Config(), BanditFamily(trial_episodes=2)


def test_fewer_trials_a_step_where_they_are_stepped():
    assert METHOD.budget(PROBLEM).meta_batch == 4 * METHOD.budget(CheetahFamily()).meta_batch
    many = Budget(meta_batch=MOST + 1)
    assert METHOD.copies(many) == MOST
    assert METHOD.copies(Budget(meta_batch=3)) == 3


def test_scored_by_episodes_beside_planners():
    """There are as many stages as episodes, and a planner stands beside what acts."""
    trial = PROBLEM.trial("test")
    found = METHOD.references(PROBLEM, trial, 0)
    assert {"Bayes optimum", "random"} < set(found)
    assert METHOD.stages(PROBLEM) == 2
    assert found["random"](jax.random.key(0), 5).returns.shape == (5, 2)
