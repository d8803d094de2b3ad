"""Agents in a plain loop: what trials on the host are, step by step; and every misuse is told."""

import copy
import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment, draw_task
from quickstudy.envs.host_family import HostFamily
from quickstudy.envs.interface import Interface
from quickstudy.rl.agent import Agent
from quickstudy.rl.belief import TaskBelief, belief_policy
from quickstudy.rl.greedy import Greedy
from quickstudy.rl.host_rollout import host_rollouts
from references.corridor import Corridor

pytest.importorskip("gymnasium")
from references.levers import HORIZON, Lever

KEY = jax.random.key(0)


def corridor():
    """Ours, deterministic, whose episodes end early."""
    return (
        lambda: qs.as_gymnasium(Corridor()),
        lambda rng: jnp.asarray(rng.integers(1, 4)),
        lambda env, task: env.unwrapped.set_task(task),
        4,
    )


def lever():
    return Lever, lambda rng: rng.uniform(-1, 1), lambda env, task: env.hold(task), HORIZON


def trial_in(family, copies=2, episodes=3):
    make, sample_task, set_task, horizon = family
    host = HostEnvironment(make, sample_task, set_task, copies, horizon)
    return qs.Trial(HostFamily(host), episodes)


def policy_for(trial):
    policy = qs.MetaPolicy.create(trial, qs.GRU.create(trial.inputs, 6, key=KEY))
    actor = qs.Linear.create(6, trial.environment.actions.size, key=KEY)
    return eqx.tree_at(lambda p: p.actor, policy, actor)


def reactive_for(trial):
    policy = qs.Reactive.create(trial.environment, (8,), key=KEY)
    head = jax.random.normal(KEY, policy.head.weight.shape)
    return eqx.tree_at(lambda p: p.head.weight, policy, head)


def believing_for(trial):
    """VariBAD's: a belief over tasks, and heads that read it."""
    memory = qs.GRU.create(trial.inputs, 6, key=KEY)
    belief = TaskBelief.create(memory, 2, observed=trial.observed, key=KEY)
    policy = belief_policy(trial, belief, (8,), key=KEY)
    head = jax.random.normal(KEY, policy.actor.head.weight.shape)
    return eqx.tree_at(lambda p: p.actor.head.weight, policy, head)


def looped(agent, family, task, episodes):
    """A trial in a plain loop: what was seen, done and paid at every step."""
    make, _, set_task, horizon = family
    env, found = make(), []
    env.reset(seed=0)
    agent.new_task()
    for _ in range(episodes):
        set_task(env, task)
        observation, _ = env.reset()
        action, time = agent.reset(observation), 0
        while action is not None:
            assert env.action_space.contains(action)
            seen, done = observation, action
            observation, reward, terminated, truncated, _ = env.step(action)
            time += 1
            action = agent.act(observation, reward, terminated, truncated or time == horizon)
            found.append((seen, done, reward))
    return found


@pytest.mark.parametrize("family", [corridor(), lever()], ids=["corridor", "lever"])
@pytest.mark.parametrize("made", [policy_for, reactive_for, believing_for])
def test_it_acts_as_trials_on_the_host_do(family, made):
    trial = trial_in(family)
    policy, limit = made(trial), 1.0
    seed = int(jax.random.bits(jax.random.split(KEY)[0]))
    paths = host_rollouts(Greedy(policy), trial, KEY, 4)
    agent = policy.agent(greedy=True)
    for n in range(4):
        loop = looped(agent, family, draw_task(family[1], seed, n), trial.episodes)
        real = np.flatnonzero(paths.real[n])
        assert len(loop) == len(real)
        for (seen, done, paid), time in zip(loop, real, strict=True):
            action = paths.action[n, time]
            if np.ndim(action):
                action = np.clip(action, -limit, limit)
            np.testing.assert_allclose(done, action, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(seen, paths.seen.observation[n, time], atol=1e-6)
            np.testing.assert_allclose(paid, paths.reward[n, time], rtol=1e-5, atol=1e-6)


def test_it_remembers_within_a_task_and_forgets_between():
    trial = trial_in(lever())
    agent = policy_for(trial).agent(greedy=True)
    see = np.zeros(1, np.float32)
    first = agent.reset(see)
    second = agent.act(see, 1.0, False, False)
    assert not np.allclose(first, second)
    assert agent.act(see, -1.0, False, True) is None
    third = agent.reset(see)
    assert not np.allclose(first, third)
    agent.new_task()
    np.testing.assert_array_equal(agent.reset(see), first)


def test_the_seed_decides_what_is_drawn():
    policy, see = policy_for(trial_in(lever())), np.zeros(1, np.float32)
    draws = [float(policy.agent(seed=seed).reset(see)[0]) for seed in (0, np.int64(0), 1)]
    assert draws[0] == draws[1] != draws[2]
    agent = policy.agent()
    first = agent.reset(see)
    agent.new_task()
    assert first != agent.reset(see), "another task, other draws"


def test_it_may_act_greedily_from_now_on():
    trial = trial_in(lever())
    policy, see = policy_for(trial), np.zeros(1, np.float32)
    agent = policy.agent()
    assert not agent.greedy
    drawn = agent.reset(see)
    agent.greedy = True
    agent.new_task()
    assert agent.greedy
    assert agent.reset(see) == policy.agent(greedy=True).reset(see) != drawn
    for value in ("yes", None, 1):
        with pytest.raises(qs.BadInput, match=r"greedy is .*; give True or False"):
            agent.greedy = value
    with pytest.raises(AttributeError, match="greedily"):
        agent.greedily = True


def test_a_copy_has_a_memory_of_its_own():
    trial, see = trial_in(lever()), np.zeros(1, np.float32)
    agent = policy_for(trial).agent()
    agent.reset(see)
    for copied in (copy.copy, copy.deepcopy):
        other = copied(agent)
        found = [one.act(see, 1.0, False, False) for one in (agent, other)]
        np.testing.assert_array_equal(*found)
        other.new_task()
        assert agent.act(see, 1.0, False, False).shape == (1,), "it goes on"


def test_it_is_pickled_with_its_memory():
    trial, see = trial_in(lever()), np.zeros(1, np.float32)
    agent = policy_for(trial).agent(seed=3)
    agent.reset(see)
    agent.act(see, 1.0, False, False)
    other = pickle.loads(pickle.dumps(agent))
    for _ in range(5):
        found = [one.act(see, 1.0, False, False) for one in (agent, other)]
        np.testing.assert_array_equal(*found)


def test_misuse_is_told():
    trial = trial_in(lever())
    policy, see = policy_for(trial), np.zeros(1, np.float32)
    agent = policy.agent()
    with pytest.raises(qs.BadInput, match="begin one with reset"):
        agent.act(see, 0.0, False, False)
    with pytest.raises(qs.BadInput, match=r"shape \(2,\); the space, .* has the shape \(1,\)"):
        agent.reset(np.zeros(2))
    with pytest.raises(qs.BadInput, match="or not-a-number"):
        agent.reset(np.full(1, np.nan))
    agent.reset(see)
    with pytest.raises(qs.BadInput, match="still going on"):
        agent.reset(see)
    for reward in (np.nan, None, np.zeros(2), "1x"):
        with pytest.raises(qs.BadInput, match=r"reward is .* one finite number"):
            agent.act(see, reward, False, False)
    with pytest.raises(qs.BadInput, match="truncated is 3"):
        agent.act(see, 0.0, False, 3)
    assert agent.act(see, np.float32([1.0]), np.bool_(True), False) is None
    with pytest.raises(qs.BadInput, match="no episode is going on"):
        agent.act(see, 0.0, False, False)
    bare = eqx.tree_at(lambda p: p.critic, policy, policy.critic)
    object.__setattr__(bare, "interface", None)
    with pytest.raises(qs.BadInput, match="what it acts in"):
        bare.agent()
    assert Agent(bare, Interface.of(trial.environment)).reset(see).shape == (1,)


def test_a_policy_that_has_diverged_is_told():
    policy = policy_for(trial_in(lever()))
    lost = jax.tree.map(lambda x: x * jnp.nan if eqx.is_inexact_array(x) else x, policy)
    with pytest.raises(qs.BadInput, match="its training has diverged"):
        lost.agent().reset(np.zeros(1, np.float32))
