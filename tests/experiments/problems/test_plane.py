"""Walks in the plane as problems."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.problems.plane import HalfCircleFamily, NavigationFamily


@pytest.mark.parametrize(("reward", "paid"), [("distance", -5.0), ("squared-distance", -25.0)])
def test_the_reward_of_the_code_or_of_the_paper(reward, paid):
    walk = NavigationFamily(reward=reward).environment("train")
    assert isinstance(walk, qs.Navigation)
    found = walk.reward(jnp.array([3.0, 4.0]), jnp.zeros(2))
    np.testing.assert_allclose(found, paid, rtol=1e-6)


def test_the_half_circle_is_sparse():
    assert isinstance(HalfCircleFamily().environment("train"), qs.SparseNavigation)
    assert HalfCircleFamily().trial_episodes == 4


def test_an_oracle_that_knows_the_goal_arrives():
    problem = HalfCircleFamily(trial_episodes=2)
    (known,) = problem.oracles(problem.trial("test")).values()
    returns = known(jax.random.key(0), 3).returns
    assert returns.shape == (3, 2)
    assert (np.asarray(returns) > 0).all()
