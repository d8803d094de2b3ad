"""Navigation has the papers' goals, rewards, speeds and ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.envs.navigation import (
    Goal,
    Navigation,
    SparseNavigation,
    negative_distance,
    squared_distance_reward,
)
from quickstudy.rl.trial import Trial

KEY = jax.random.key(0)
KEYS = jax.random.split(KEY, 4000)
GOAL = Goal(jnp.array([0.3, -0.4]))


def walk(environment, task, steps):
    """The best policy's positions, rewards and ends."""

    def forward(state, key):
        action = environment.optimal_action(state, task)
        step = environment.step(key, state, action, task)
        return step.state, (step.observation, step.reward, step.done)

    start, _ = environment.reset(KEY, task)
    return jax.lax.scan(forward, start, jax.random.split(KEY, steps))[1]


def test_the_numbers_are_the_papers():
    dense, sparse = Navigation(), SparseNavigation()
    assert (dense.horizon, sparse.horizon, sparse.radius) == (100, 20, 0.2)
    assert dense.reward is negative_distance
    assert (dense.actions.size, dense.actions.limit, dense.observation_shape) == (2, 0.1, (2,))
    goals = np.asarray(jax.vmap(dense.sample)(KEYS).position)
    assert -0.5 <= goals.min() < -0.499
    assert 0.499 < goals.max() <= 0.5
    assert np.abs(goals.mean(0)).max() < 0.02
    assert abs(np.corrcoef(goals.T)[0, 1]) < 0.05


def test_sparse_goals_lie_evenly_on_the_upper_half_circle():
    x, y = np.asarray(jax.vmap(SparseNavigation().sample)(KEYS).position).T
    np.testing.assert_allclose(x**2 + y**2, 1.0, rtol=1e-5)
    angles = np.arctan2(y, x)
    assert angles.min() >= -1e-6
    np.testing.assert_allclose(np.histogram(angles, 8, (0, np.pi))[0] / 4000, 1 / 8, atol=0.02)


def test_steps_are_clipped_and_paid_where_they_lead():
    action = jnp.array([0.05, -7.0])
    code = Navigation().step(KEY, jnp.zeros(2), action, GOAL)
    paper = Navigation(squared_distance_reward).step(KEY, jnp.zeros(2), action, GOAL)
    np.testing.assert_allclose(code.observation, [0.05, -0.1], rtol=1e-6)
    np.testing.assert_allclose(code.reward, -((0.25**2 + 0.3**2) ** 0.5), rtol=1e-6)
    np.testing.assert_allclose(paper.reward, -(0.25**2 + 0.3**2), rtol=1e-6)
    np.testing.assert_array_equal(code.state, code.observation)
    assert not code.done


@pytest.mark.parametrize(
    ("off", "ends"), [((0.009, -0.009), True), ((0.011, 0.0), False), ((0.0, 0.011), False)]
)
def test_the_dense_episode_ends_at_the_goal(off, ends):
    beside = GOAL.position + jnp.array(off)
    assert bool(Navigation().arrived(beside, GOAL)) is ends


def test_the_sparse_reward_begins_at_its_radius():
    sparse = SparseNavigation()
    pays = [sparse.pay(GOAL.position + jnp.array([d, 0.0]), GOAL) for d in (0.0, 0.1, 0.19, 0.21)]
    np.testing.assert_allclose(pays, [1.0, 0.9, 0.81, 0.0], atol=1e-6)
    assert not sparse.step(KEY, GOAL.position, jnp.zeros(2), GOAL).done


def test_the_best_policy_goes_straight_and_arrives():
    positions, rewards, done = walk(Navigation(), GOAL, 5)
    np.testing.assert_allclose(positions[1], [0.2, -0.2], atol=1e-6)
    np.testing.assert_allclose(positions[3], GOAL.position, atol=1e-6)
    assert done.tolist() == [False, False, False, True, True]
    by_hand = [-((x * x + y * y) ** 0.5) for x, y in ((0.2, 0.3), (0.1, 0.2), (0.0, 0.1))]
    np.testing.assert_allclose(rewards[:3], by_hand, atol=1e-6)


def test_a_known_sparse_goal_pays_once_it_is_near():
    _, rewards, _ = walk(SparseNavigation(radius=0.25), Goal(jnp.array([0.0, 1.0])), 20)
    np.testing.assert_allclose(rewards, [0.0] * 7 + [0.8, 0.9] + [1.0] * 11, atol=1e-5)


@pytest.mark.parametrize("environment", [Navigation(horizon=3), SparseNavigation(horizon=3)])
def test_a_trial_keeps_its_goals_through_resets_and_jit_changes_nothing(environment):
    """A goal is kept if standing still is paid the same in every episode, task by task."""
    trial = Trial(environment, episodes=2)

    def play(key, task):
        place, _ = trial.begin(key, task)

        def forward(place, key):
            action = environment.optimal_action(place.state, task)
            place, seen, out = trial.step(key, place, action, task)
            return place, (seen.observation, out.reward, out.done)

        return jax.lax.scan(forward, place, jax.random.split(key, trial.steps))[1]

    keys = jax.random.split(KEY, 3)
    tasks = jax.vmap(environment.sample)(keys)
    seen, rewards, done = jax.jit(jax.vmap(play))(keys, tasks)
    np.testing.assert_array_equal(done, [[False, False, True] * 2] * 3)
    np.testing.assert_array_equal(seen[:, 2], np.zeros((3, 2)))
    np.testing.assert_allclose(rewards[:, :3], rewards[:, 3:], rtol=1e-6)
    if isinstance(environment, Navigation):
        assert len(np.unique(np.asarray(rewards[:, 0]))) == 3  # the tasks differ
        exchanged = jax.tree.map(lambda leaf: leaf[::-1], tasks)
        assert not np.allclose(jax.vmap(play)(keys, exchanged)[1], rewards)
    with jax.disable_jit():
        plain = play(keys[0], jax.tree.map(lambda leaf: leaf[0], tasks))
    np.testing.assert_allclose(plain[1], rewards[0], rtol=1e-6)
