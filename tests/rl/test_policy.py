"""Meta-policies: what is thought while acting is thought again in training, with any memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets.context import GaussianProduct, Mean
from quickstudy.rl.policy import between_episodes, between_tasks, everything, never, no_beginnings
from quickstudy.rl.trial import Seen
from references.corridor import Corridor

KEY = jax.random.key(0)
TRIAL = qs.Trial(Corridor(), episodes=3)


class Reach(Corridor):
    """The same corridor with one continuous action."""

    @property
    def actions(self):
        return qs.Continuous(2, 0.5)

    def step(self, key, state, action, task):
        return super().step(key, state, jnp.where(action[0] > 0, 1, 0), task)


def encoder(name, inputs, *, key=KEY):
    return {
        "gru": lambda: qs.GRU.create(inputs, 6, key=key),
        "lstm": lambda: qs.LSTM.create(inputs, 6, key=key),
        "snail": lambda: qs.SNAIL.create(
            inputs, filters=4, attention=((4, 4), (4, 4)), past=12, key=key
        ),
        "transformer": lambda: qs.Transformer.create(inputs, 8, heads=2, past=12, key=key),
        "context": lambda: qs.Context.create(
            inputs, 8, observed=2, pooling=GaussianProduct(), key=key
        ),
        "context-mean": lambda: qs.Context.create(inputs, 8, observed=2, pooling=Mean(), key=key),
        "table": lambda: qs.TableMemory.create(2, 2, 8, past=12, horizon=4, key=key),
        "none": lambda: qs.Memoryless.create(8, observed=2, key=key),
    }[name]()


CONTINUOUS = ("gru", "lstm", "snail", "transformer", "context", "context-mean", "none")
ENCODERS = (*CONTINUOUS, "table")


def policy_of(name, trial=TRIAL, forgets=between_tasks):
    """With heads that decide something."""
    policy = qs.MetaPolicy.create(trial, encoder(name, trial.inputs), forgets=forgets)
    random = lambda x: jax.random.normal(KEY, x.shape)  # noqa: E731
    actor, critic = (jax.tree.map(random, head) for head in (policy.actor, policy.critic))
    return eqx.tree_at(lambda p: (p.actor, p.critic), policy, (actor, critic))


@eqx.filter_jit
def act_and_rethink(policy, trial, task):
    """As training thinks: from the trial's start, the state of the start, and in three parts from
    the state of each; `[3, time]`."""
    path = qs.rollout(policy, trial, task, KEY, parts=3)
    start = jax.tree.map(lambda x: x[0], path.states)
    cut = jax.tree.map(lambda x: x.reshape(3, -1, *x.shape[1:]), path.seen)
    parts = jax.vmap(policy.rethink)(path.states, cut)
    joined = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), parts)
    ways = policy.rethink(None, path.seen), policy.rethink(start, path.seen), joined
    log = jax.vmap(type(joined.actions).log_prob)
    logs = jnp.stack([log(thought.actions, path.action) for thought in ways])
    return path, logs, jnp.stack([thought.value for thought in ways])


def thinks_the_same(path, logs, values):
    for mine, theirs in zip((logs, values), path.notes, strict=True):
        for one in mine:
            np.testing.assert_allclose(one, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("forgets", [between_tasks, between_episodes, never])
@pytest.mark.parametrize("name", ENCODERS)
def test_training_thinks_what_acting_thought(name, forgets):
    policy = policy_of(name, forgets=forgets)
    thinks_the_same(*act_and_rethink(policy, TRIAL, jnp.array(2)))


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_actions(name):
    trial = qs.Trial(Reach(), episodes=3)
    path, *thought = act_and_rethink(policy_of(name, trial), trial, jnp.array(2))
    thinks_the_same(path, *thought)
    assert path.action.shape == (12, 2)
    assert float(jnp.abs(path.seen.action_tm1).max()) <= 0.5


def test_gaussians_are_measured_in_limits():
    """Where no coordinate may be more than 0.5, a policy begins as wide there as elsewhere."""
    trial = qs.Trial(Reach(), episodes=1)
    memory = qs.GRU.create(trial.inputs, 4, key=KEY)
    policy = qs.MetaPolicy.create(trial, memory)
    seen = trial.begin(KEY, jnp.array(2))[1]
    actions = policy.think(policy.begin(), seen)[1].actions
    np.testing.assert_allclose(jnp.exp(actions.log_std), 0.5 * np.exp(-0.5), rtol=1e-5)
    told = eqx.tree_at(lambda p: p.actor.bias, policy, jnp.ones(2))
    np.testing.assert_allclose(told.think(told.begin(), seen)[1].actions.mean, 0.5, rtol=1e-6)


@eqx.filter_jit
def values(policy, seen):
    return policy.rethink(policy.begin(), seen).actions.logits


def seen_of(key, time=9):
    """Anything that might have been seen; episodes end at 2 and 5."""
    ends = jnp.isin(jnp.arange(time), jnp.array([3, 6])).astype(jnp.float32)
    first = (jnp.arange(time) == 0).astype(jnp.float32)
    keys = jax.random.split(key, 3)
    return qs.Seen(
        jax.random.uniform(keys[0], (time, 2)),
        jax.nn.one_hot(jax.random.randint(keys[1], (time,), 0, 2), 2),
        jax.random.normal(keys[2], (time,)),
        ends,
        first,
    )


@pytest.mark.parametrize("name", ENCODERS)
def test_the_future_changes_nothing(name):
    """Causality: what is seen from time 5 on does not reach what was thought before."""
    policy = policy_of(name)
    seen, other = seen_of(KEY), seen_of(jax.random.key(9))
    mixed = jax.tree.map(lambda a, b: jnp.concatenate([a[:5], b[5:]]), seen, other)
    before, after = values(policy, seen), values(policy, mixed)
    np.testing.assert_allclose(before[:5], after[:5], rtol=1e-5, atol=1e-6)
    assert float(jnp.abs(before[5:] - after[5:]).min()) > 1e-4


@pytest.mark.parametrize("name", ["gru", "transformer", "context", "table"])
def test_forgetting(name):
    """Cleared between episodes, an episode is thought of as if it were the first."""
    seen = seen_of(KEY)
    episode = jax.tree.map(lambda x: x[3:6], seen)
    alone = values(policy_of(name), episode)
    within = values(policy_of(name, forgets=between_episodes), seen)[3:6]
    np.testing.assert_allclose(within, alone, rtol=1e-4, atol=1e-5)
    kept = values(policy_of(name), seen)[3:6]
    assert float(jnp.abs(kept - alone).max()) > 1e-3, "nothing was remembered"


@pytest.mark.parametrize(
    ("name", "invariant"), [("context", True), ("context-mean", True), ("gru", False)]
)
def test_a_set_has_no_order_but_a_present(name, invariant):
    """The past's transitions in another order change nothing; another present does.

    With the same observation everywhere, x_t alone tells the transition that ends at t.
    """
    policy, seen = policy_of(name), seen_of(KEY)
    same = jnp.ones_like(seen.observation)
    seen = seen._replace(observation=same, done_tm1=jnp.zeros(9))
    order = jnp.array([0, 4, 2, 6, 1, 3, 5, 7, 8])
    turned = jax.tree.map(lambda x: x[order], seen)
    now, then = values(policy, seen)[-1], values(policy, turned)[-1]
    assert np.allclose(now, then, rtol=1e-4, atol=1e-5) == invariant
    other = seen._replace(observation=same.at[-1].set(0.0))
    assert float(jnp.abs(values(policy, other)[-1] - now).max()) > 1e-3


@pytest.mark.parametrize("name", ["context", "context-mean"])
def test_a_transition_is_of_two_observations(name):
    """Of a walk between two places, the steps there may change places with each other, and not
    with a step back."""
    policy, seen = policy_of(name), seen_of(KEY)
    walk = jnp.array([0, 0, 1, 0, 1, 0, 1, 0, 0])
    seen = seen._replace(observation=jax.nn.one_hot(walk, 2), done_tm1=jnp.zeros(9))

    def last(*order):
        order = jnp.array(order)
        moved = {name: getattr(seen, name)[order] for name in ("action_tm1", "reward_tm1")}
        return values(policy, seen._replace(**moved))[-1]

    now = last(*range(9))
    np.testing.assert_allclose(last(0, 1, 4, 3, 2, 5, 6, 7, 8), now, rtol=1e-4, atol=1e-5)
    assert float(jnp.abs(last(0, 1, 3, 2, 4, 5, 6, 7, 8) - now).max()) > 1e-3


def test_without_a_memory_only_the_observation_counts():
    """Whatever was done and paid, before or just now, what is thought is the same."""
    policy, task = policy_of("none"), jnp.array(2)
    seen = act_and_rethink(policy, TRIAL, task)[0].seen
    other = jax.tree.map(lambda x: x + 1.0, seen)._replace(observation=seen.observation)
    rethink = eqx.filter_jit(type(policy).rethink)
    found, wanted = (rethink(policy, policy.begin(), one) for one in (other, seen))
    np.testing.assert_array_equal(found.actions.logits, wanted.actions.logits)
    alone = jax.tree.map(lambda x: x[-1:], seen)
    last = rethink(policy, policy.begin(), alone).actions.logits[0]
    np.testing.assert_allclose(last, wanted.actions.logits[-1], rtol=1e-5)
    moved = rethink(policy, policy.begin(), seen._replace(observation=seen.observation + 1.0))
    assert not np.allclose(moved.actions.logits, wanted.actions.logits)


def test_a_beginning_that_is_not_told_looks_like_any_other():
    """The same numbers as after an episode that ended with the first action and no reward."""
    one = jnp.ones(())
    observed, zero, action = jnp.ones(2), jnp.zeros(()), jnp.array([1.0, 0.0, 0.0])
    begins = Seen(observed, jnp.zeros(3), zero, zero, one)
    goes_on = Seen(observed, action, zero, one, zero)
    np.testing.assert_array_equal(no_beginnings(begins), no_beginnings(goes_on))
    np.testing.assert_array_equal(no_beginnings(goes_on), everything(goes_on))
    assert not np.array_equal(everything(begins), everything(goes_on))
    later = Seen(observed, action[::-1], 0.5 * one, zero, zero)
    np.testing.assert_array_equal(no_beginnings(later), everything(later))


def test_training_thinks_what_acting_thought_of_what_it_is_told():
    memory = qs.GRU.create(TRIAL.inputs, 6, key=KEY)
    policy = qs.MetaPolicy.create(TRIAL, memory, forgets=never, told=no_beginnings)
    thinks_the_same(*act_and_rethink(policy, TRIAL, jnp.array(2)))
