"""Bandits as a problem: its oracles, and the optimum where it can be worked out."""

import jax
import numpy as np

from quickstudy.experiments.problems.bandit import SOLVED, BanditFamily

OTHERS = {"Gittins", "UCB1", "optimistic Thompson", "Thompson", "greedy", "ε-greedy"}


def test_it_is_what_was_asked_for():
    problem = BanditFamily(arms=3, trial_episodes=4)
    assert problem.environment("test").actions.size == 3
    assert problem.trial("test").steps == 4, "an episode is a pull"
    assert problem.states() == 0
    assert problem.definition() == {"environment": "Bandit-v1"}
    assert problem.test_trials == 10_000


def test_the_optimum_is_worked_out_for_few_pulls_only():
    few, many = (BanditFamily(arms=2, trial_episodes=n) for n in (SOLVED, SOLVED + 1))
    assert set(few.planners(few.trial("test"))) == OTHERS | {"Bayes optimum"}
    assert set(many.planners(many.trial("test"))) == OTHERS


def test_an_oracle_that_knows_the_best_arm_expects_its_chance_in_every_pull():
    problem = BanditFamily(arms=3, trial_episodes=4)
    trial = problem.trial("test")
    found = problem.oracles(trial)["best arm"](jax.random.key(0), 5)
    assert found.shape == (5, 4)
    np.testing.assert_array_equal(found, np.repeat(found[:, :1], 4, axis=1))
    assert ((found > 0) & (found < 1)).all()
