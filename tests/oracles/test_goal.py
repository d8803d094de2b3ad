"""An oracle that knows the goal."""

import jax
import jax.numpy as jnp

import quickstudy as qs
from quickstudy.envs.navigation import SPEED, Goal
from quickstudy.oracles.goal import KnowsGoal
from quickstudy.rl.rollout import rollout

KEY = jax.random.key(0)
GOAL = Goal(jnp.array([0.45, -0.2]))


def test_it_goes_straight_to_the_goal_in_every_episode():
    """In each coordinate it comes nearer by as much as a step allows, until it is there."""
    trial = qs.Trial(qs.SparseNavigation(horizon=6), episodes=2)
    path = rollout(KnowsGoal(trial.environment), trial, GOAL, KEY)
    places = path.seen.observation.reshape(2, 6, 2)
    far = jnp.maximum(jnp.abs(GOAL.position)[None] - SPEED * jnp.arange(6)[:, None], 0)
    for episode in places:
        assert jnp.allclose(jnp.abs(GOAL.position[None] - episode), far, atol=1e-6)


def test_it_remembers_the_task_and_nothing_else():
    walk = qs.Navigation()
    oracle = KnowsGoal(walk)
    state = oracle.begin(GOAL)
    assert state is GOAL
    seen = qs.Trial(walk, 1).begin(KEY, GOAL)[1]
    after, action, note = oracle.act(state, seen, key=KEY)
    assert after is GOAL
    assert note is None
    assert jnp.allclose(action, jnp.array([SPEED, -SPEED]))
