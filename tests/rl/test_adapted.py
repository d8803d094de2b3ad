"""What adapting policies earn: drawn as they learn, or greedily, compiled and on the host."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.inner import Rate
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.adapted import replayed, stages, update_returns
from quickstudy.rl.estimators import LVC
from quickstudy.rl.host_earnings import update_earnings
from quickstudy.rl.rollout import rollout
from quickstudy.rl.scale import Running
from references.corridor import Corridor

pytest.importorskip("gymnasium")
import gymnasium

KEY = jax.random.key(0)
K, TASKS, UPDATES = 3, 4, 2


def adapting(family):
    policy = qs.Reactive.create(family, (4,), key=KEY)
    head = qs.Linear.create(4, family.actions.size, key=jax.random.key(1))
    policy = eqx.tree_at(lambda p: p.head, policy, head)
    return policy, Adaptation(family, Rate(2.0), LVC(), trajectories=K)


def test_stages_are_what_the_trajectories_make():
    policy, adaptation = adapting(Corridor())
    task = adaptation.environment.sample(KEY)
    sets, _ = eqx.filter_jit(adaptation.run)(policy, task, UPDATES, KEY)
    again = replayed(policy, adaptation, sets)
    for one, other in zip(stages(policy, adaptation, task, UPDATES, KEY), again, strict=True):
        np.testing.assert_allclose(one.head.weight, other.head.weight, rtol=1e-5)
    assert (again[0].head.weight == policy.head.weight).all()
    assert (again[1].head.weight != again[2].head.weight).any()


def greedy_by_hand(policy, adaptation, task, key):
    """The reward of a deterministic episode before any update, and after each."""
    trial = qs.Trial(adaptation.environment, 1)
    run = eqx.filter_jit(rollout)
    policies = stages(policy, adaptation, task, UPDATES, key)
    return [float(run(qs.Greedy(one), trial, task, key).reward.sum()) for one in policies]


def test_greedy_episodes_of_the_policies_that_drawn_ones_make():
    policy, adaptation = adapting(qs.Navigation(horizon=10))
    returns = eqx.filter_jit(update_returns)
    found = returns(policy, adaptation, UPDATES, KEY, TASKS, "greedy")
    drawn = returns(policy, adaptation, UPDATES, KEY, TASKS)
    assert found.shape == drawn.shape == (TASKS, UPDATES + 1)
    assert (found != drawn).all()
    for number in range(TASKS):
        task_key, act_key = jax.random.split(jax.random.fold_in(KEY, number))
        task = adaptation.environment.sample(task_key)
        wanted = greedy_by_hand(policy, adaptation, task, act_key)
        np.testing.assert_allclose(found[number], wanted, rtol=1e-4)


class Far(gymnasium.Env):
    """Two steps that cost the distance between an action and the goal; near it, a success."""

    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    observation_space = gymnasium.spaces.Box(-9.0, 9.0, (1,), np.float32)
    goal = 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.times = 0
        return np.ones(1, np.float32), {}

    def step(self, action):
        self.times += 1
        away = abs(float(action[0]) - self.goal)
        return np.ones(1, np.float32), -away, self.times == 2, False, {"success": away < 0.5}


def set_task(env, task):
    env.goal = task


def sample_task(rng):
    return rng.uniform(-0.5, 0.5)


@pytest.mark.parametrize("copies", [K, 2 * K])
def test_greedy_on_the_host(copies):
    """All K episodes of a stage are equal, in the tasks of a drawn test, whatever the copies."""
    host = HostEnvironment(Far, sample_task, set_task, copies, horizon=2)
    policy, adaptation = adapting(HostFamily(host))
    drawn = update_earnings(policy, adaptation, UPDATES, KEY, TASKS)
    found = update_earnings(policy, adaptation, UPDATES, KEY, TASKS, acts="greedy")
    one = update_earnings(policy, adaptation, UPDATES, KEY, TASKS, 1, acts="greedy")
    np.testing.assert_allclose(found.returns, one.returns, rtol=1e-6)
    returns = np.asarray(found.returns)
    np.testing.assert_array_equal(found.successes, returns > -1.0)
    # Later on, means may be beyond the limits, and all actions the same.
    assert (returns != np.asarray(drawn.returns))[:, 0].all()
    # Before any update the policy is the same in all tasks, so that rewards tell the goals.
    mean = float(np.clip(policy.actions(jnp.ones((1, 1))).mean[0, 0], -1, 1))
    seed = int(jax.random.bits(jax.random.split(KEY)[0]))
    seeds = [np.random.SeedSequence(seed, spawn_key=(number,)) for number in range(TASKS)]
    goals = np.array([sample_task(np.random.default_rng(one)) for one in seeds])
    np.testing.assert_allclose(returns[:, 0], -2 * abs(mean - goals), rtol=1e-4)


def test_a_scale_is_worn():
    policy, adaptation = adapting(qs.Navigation(horizon=5))
    scale = Running.of(adaptation.environment)
    scale = eqx.tree_at(lambda s: s.observations.mean, scale, scale.observations.mean + 1.0)
    plain, scaled = (
        update_returns(policy, dataclasses.replace(adaptation, scale=one), 0, KEY, TASKS, "greedy")
        for one in (adaptation.scale, scale)
    )
    assert (plain != scaled).all()
