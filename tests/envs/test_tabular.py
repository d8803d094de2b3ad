"""Tabular MDPs with the numbers of RL²'s paper."""

import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs

KEY, MANY = jax.random.key(0), 4000
MDP = qs.TabularMDP()


def test_sizes():
    """10 states, 5 actions, episodes of 10 steps that begin in state 0."""
    assert (MDP.states, MDP.choices, MDP.horizon) == (10, 5, 10)
    assert MDP.observation_shape == (10,)
    state, seen = MDP.reset(KEY, MDP.sample(KEY))
    assert int(state) == 0
    np.testing.assert_array_equal(seen, np.eye(10)[0])


def test_tasks_are_drawn_from_the_paper_s_prior():
    """A flat Dirichlet's P(s'|s, a) has the mean 1/10, the variance (1/10)(9/10)/11 and P(p > x) =
    (1 − x)⁹; mean rewards are N(1, 1)."""
    tasks = jax.vmap(MDP.sample)(jax.random.split(KEY, 200))
    p, r = np.asarray(tasks.transitions), np.asarray(tasks.rewards)
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(p.mean((0, 1, 2)), 0.1, atol=0.004)
    np.testing.assert_allclose(p.var(), 0.09 / 11, rtol=0.02)
    np.testing.assert_allclose((p > 0.2).mean(), 0.8**9, rtol=0.02)
    assert abs(r.mean() - 1) < 4 / r.size**0.5
    np.testing.assert_allclose(r.std(), 1, atol=4 / (2 * r.size) ** 0.5)


def test_steps_follow_the_task():
    """s' is drawn from P(· | s, a), and the reward is r(s, a) with noise of variance 1."""
    task = MDP.sample(KEY)
    step = jax.vmap(lambda key: MDP.step(key, jnp.array(3), jnp.array(2), task))
    found = step(jax.random.split(jax.random.key(1), MANY))
    p = np.asarray(task.transitions[3, 2])
    often = np.bincount(np.asarray(found.state), minlength=10) / MANY
    assert (np.abs(often - p) < 4 * np.sqrt(p * (1 - p) / MANY) + 1e-3).all()
    np.testing.assert_array_equal(found.observation, np.eye(10)[np.asarray(found.state)])
    reward = np.asarray(found.reward)
    assert abs(reward.mean() - task.rewards[3, 2]) < 4 / MANY**0.5
    np.testing.assert_allclose(reward.std(), 1, atol=4 / (2 * MANY) ** 0.5)
    assert not found.done.any(), "the horizon ends episodes"
