"""Planning against enumeration, an explicit search, and the tabulated optimum."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.envs.tabular import Table, TabularMDP
from quickstudy.oracles.instances import draw_tasks
from quickstudy.oracles.planning import (
    extended_value_iteration,
    optimum,
    policy_of,
    value_iteration,
)

SMALL = TabularMDP(states=2, choices=2, horizon=3)


def value(p, r, policy):
    """What a policy [horizon, states] earns from each state, forwards."""
    total, at = 0.0, np.eye(p.shape[0])
    for actions in policy:
        total = total + at @ [r[s, a] for s, a in enumerate(actions)]
        at = at @ np.stack([p[s, a] for s, a in enumerate(actions)])
    return total


@pytest.mark.parametrize("seed", range(3))
def test_value_iteration_finds_the_best_of_all_policies(seed):
    task = SMALL.sample(jax.random.key(seed))
    p, r = np.asarray(task.transitions), np.asarray(task.rewards)
    policies = np.array(list(itertools.product(range(2), repeat=6))).reshape(-1, 3, 2)
    best = np.max([value(p, r, policy) for policy in policies], 0)
    q = value_iteration(task, SMALL.horizon)
    np.testing.assert_allclose(q[0].max(-1), best, rtol=1e-5)
    np.testing.assert_allclose(value(p, r, np.asarray(policy_of(q))), best, rtol=1e-5)


def test_the_horizon_matters():
    """State 0: action 0 pays 1 at once; action 1 goes to state 1, which pays 1.5 every step."""
    stay, go = jnp.eye(2)
    model = Table(jnp.array([[stay, go], [go, go]]), jnp.array([[1.0, 0.0], [1.5, 1.5]]))
    q = value_iteration(model, horizon=4)
    assert policy_of(q)[:, 0].tolist() == [1, 0, 0, 0]
    # 0 + 3 × 1.5 against 1 + (what three steps give: 3, by staying or by going).
    np.testing.assert_allclose(q[0, 0], [4.0, 4.5])


def test_the_optimum_is_the_tabulated_one():
    found = np.asarray(optimum(draw_tasks(TabularMDP(), 5000, key=jax.random.key(0)), 10))
    error = np.hypot(found.std() / 5000**0.5, 0.08 / 1.96)
    assert error < 0.06
    assert found.mean() == pytest.approx(21.80, abs=float(3.5 * error))


def searched(p, worth, radius):
    """The best Σ p' worth with |p' − p|₁ ≤ radius: mass taken from the worst, bit by bit."""
    p, best = p.astype(np.float64), np.argmax(worth)
    moved = min(radius / 2, 1 - p[best])
    p[best] += moved
    for s in np.argsort(worth):
        given = min(p[s], moved) if s != best else 0.0
        p[s], moved = p[s] - given, moved - given
    assert p.sum() == pytest.approx(1)
    return p @ worth


def test_extended_value_iteration_takes_the_best_transitions_in_reach():
    mdp = TabularMDP(states=4, choices=2, horizon=2)
    task = mdp.sample(jax.random.key(0))
    radius = jax.random.uniform(jax.random.key(1), (4, 2), maxval=2.2)
    q = np.asarray(extended_value_iteration(task, radius, 2))
    p, r = np.asarray(task.transitions), np.asarray(task.rewards)
    np.testing.assert_allclose(q[1], r, rtol=1e-6)
    for s, a in itertools.product(range(4), range(2)):
        expected = r[s, a] + searched(p[s, a], r.max(-1), float(radius[s, a]))
        assert q[0, s, a] == pytest.approx(expected, rel=1e-5)


def test_extended_value_iteration_without_doubt_is_value_iteration():
    task = TabularMDP().sample(jax.random.key(0))
    sure = extended_value_iteration(task, jnp.zeros((10, 5)), 10)
    np.testing.assert_allclose(sure, value_iteration(task, 10), rtol=1e-4)
    free = extended_value_iteration(task, jnp.full((10, 5), 2.0), 10)
    best = float(task.rewards.max())
    np.testing.assert_allclose(free[0], task.rewards + 9 * best, rtol=1e-4)
