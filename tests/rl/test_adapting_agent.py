"""Agents that adapt: the update is that of training, on their own episodes or on given ones."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.rl.adaptable import Adaptable
from quickstudy.rl.adapting_agent import Recorded
from quickstudy.rl.host_adaptation import host_adaptations
from quickstudy.rl.scale import Moments, Running

pytest.importorskip("gymnasium")
from references.levers import HORIZON, FarLever

KEY = jax.random.key(0)
SCALE = Running(
    Moments(jnp.float32(9), jnp.full(1, 1000.0), jnp.full(1, 0.25)),
    Moments(jnp.float32(9), jnp.zeros(()), jnp.ones(())),
)


def levers(copies=4, scale=SCALE):
    host = HostEnvironment(
        FarLever, lambda rng: rng.uniform(-1, 1), lambda env, task: env.hold(task), copies, HORIZON
    )
    adaptation = qs.Adaptation(HostFamily(host), qs.Rate(0.5), qs.LVC(), trajectories=4)
    adaptation = dataclasses.replace(adaptation, scale=scale)
    policy = qs.Reactive.create(adaptation.environment, (8,), key=KEY)
    head = 0.1 * jax.random.normal(KEY, policy.head.weight.shape)
    return eqx.tree_at(lambda p: p.head.weight, policy, head), adaptation


def weights(agent):
    return jax.tree.leaves(eqx.filter(agent._policy, eqx.is_array))


@pytest.mark.parametrize("how", ["recorded", "native"])
def test_an_update_is_training_s(how):
    policy, adaptation = levers()
    sets, _ = host_adaptations(policy, adaptation, 2, KEY, 1)
    sets = jax.tree.map(lambda x: x[0], sets)
    if how == "native":  # where what lies beyond the limit is clipped
        sets = sets._replace(action=np.clip(sets.action, -1, 1))
        taken = adaptation.read(jax.tree.map(jnp.asarray, sets))
        first = jax.tree.map(lambda x: x[0], taken)
        again = policy.actions(first.observation.reshape(-1, 1))
        found = again.log_prob(first.action.reshape(-1, 1)).reshape(first.reward.shape)
        sets = sets._replace(log_prob=np.stack([found, sets.log_prob[1]]))
    updates = 2 if how == "recorded" else 1
    read = adaptation.read(jax.tree.map(lambda x: jnp.asarray(x[:updates]), sets))
    wanted = adaptation.scale.worn(adaptation.replay(policy, read))
    agent = Adaptable.of(policy, adaptation).agent()
    for n in range(updates):
        rows = zip(sets.observation[n], sets.action[n], sets.reward[n], strict=True)
        made = (lambda *row: Recorded(*row, False)) if how == "recorded" else lambda *row: row
        agent.adapt([made(*row) for row in rows])
    assert agent.updates == updates
    for a, b in zip(weights(agent), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    agent.new_task()
    meta = jax.tree.leaves(adaptation.scale.worn(policy))
    for a, b in zip(weights(agent), meta, strict=True):
        np.testing.assert_array_equal(a, b)


def episodes(agent, env, count):
    for _ in range(count):
        action, time = agent.reset(env.reset()[0]), 0
        while action is not None:
            seen, paid, *_ = env.step(action)
            time += 1
            action = agent.act(seen, paid, False, time == HORIZON)


def test_it_adapts_on_what_it_recorded():
    policy, adaptation = levers()
    agent, env = Adaptable.of(policy, adaptation).agent(), FarLever()
    env.hold(0.8)
    episodes(agent, env, 4)
    assert [one.paid.shape for one in agent.recorded] == [(HORIZON,)] * 4
    see = np.full(1, 1000.0)
    before = Adaptable.of(policy, adaptation).agent(greedy=True).reset(see)
    agent.adapt(agent.recorded)
    assert (agent.recorded, agent.updates) == ([], 1)
    agent.greedy = True
    after = agent.reset(see)
    assert after != before
    agent.new_task()
    assert agent.reset(see) == before, "the meta-policy, and still greedy"


def test_misuse_is_told():
    policy, adaptation = levers()
    agent, env = Adaptable.of(policy, adaptation).agent(greedy=True), FarLever()
    with pytest.raises(qs.BadInput, match="no trajectories"):
        agent.adapt([])
    episodes(agent, env, 1)
    with pytest.raises(qs.BadInput, match="acted greedily"):
        agent.adapt(agent.recorded)
    see = np.full((2, 1), 1000.0)
    for actions, rewards, why in (
        (np.zeros((1, 1)), [1.0, 2.0], "1 actions have 2 rewards"),
        (np.zeros((4, 1)), np.ones(4), "2 observations, 4 actions"),
        (np.zeros((2, 2)), np.ones(2), "not in the space"),
        (np.array([[0.0], [np.nan]]), np.ones(2), "not in the space"),
        (np.array([[0.0], [1000.0]]), np.ones(2), "not in the space"),
        (np.zeros((2, 1)), [1.0, np.nan], "finite"),
        (np.zeros((2, 1)), [1.0, "2.0"], "finite"),
    ):
        with pytest.raises(qs.BadInput, match=why):
            agent.adapt([(see, actions, rewards)])
    for bad, why in (
        ([(see, np.zeros((2, 1)))], "give .observations, actions, rewards."),
        ((see, np.zeros((2, 1)), [1.0, 1.0]), "give .observations, actions, rewards."),
        ([5], "a trajectory is int"),
        ([([], [], [])], "an episode has no step"),
    ):
        with pytest.raises(qs.BadInput, match=why):
            agent.adapt(bad)
    for seed in (-1, 2**32):
        with pytest.raises(qs.BadInput, match="give a whole number of 0 or more"):
            Adaptable.of(policy, adaptation).agent(seed=seed)
    long = np.full((HORIZON + 1, 1), 1000.0)
    with pytest.raises(qs.BadInput, match=f"in training they had 1 to {HORIZON}"):
        agent.adapt([(long, np.zeros_like(long), np.zeros(HORIZON + 1))])
    agent.reset(see[0])
    with pytest.raises(qs.BadInput, match="still going on"):
        agent.adapt([(see, np.zeros((2, 1)), np.ones(2))])


def test_what_another_environment_s_agent_recorded_is_told():
    policy, adaptation = levers()
    agent, env = Adaptable.of(policy, adaptation).agent(), FarLever()
    episodes(agent, env, 1)
    (own,) = agent.recorded
    for part, other in (
        ("seen", np.zeros((HORIZON, 3), np.float32)),
        ("done", np.zeros((HORIZON, 2), np.float32)),
        ("done", np.zeros(HORIZON, np.int32)),
        ("paid", own.paid[1:]),
        ("paid", np.zeros((HORIZON, 1), np.float32)),
    ):
        with pytest.raises(qs.BadInput, match="episodes that were acted in this environment"):
            agent.adapt([own._replace(**{part: other})])
    agent.adapt([own])
    with pytest.raises(AttributeError, match="update"):
        agent.update = 0


def test_an_update_that_diverges_is_told_and_leaves_the_policy_as_it_was():
    policy, adaptation = levers()
    steep = dataclasses.replace(adaptation, rule=qs.Rate(np.inf))
    agent, see = Adaptable.of(policy, steep).agent(greedy=True), np.full((2, 1), 1000.0)
    before = agent.reset(see[0])
    assert agent.act(see[0], 0.0, True, False) is None
    with pytest.raises(qs.BadInput, match="stays as it was; its inner learning rate is too high"):
        agent.adapt([(see, np.array([[0.5], [-0.5]]), np.array([1.0, -1.0]))])
    assert (agent.updates, agent.reset(see[0])) == (0, before)
