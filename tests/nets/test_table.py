"""The memory that counts: what it writes, what it passes on, and that names mean nothing to it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs

KEY = jax.random.key(0)
STATES, ACTIONS, TIME = 3, 2, 40


def table(rounds=2, states=STATES, actions=ACTIONS):
    return qs.TableMemory.create(
        states, actions, 8, rounds=rounds, past=TIME, horizon=5, key=jax.random.key(7)
    )


def walk(states, actions, rewards, dones):
    """Inputs as a policy is told them: o_t, a_{t−1}, r_{t−1}, done, first."""
    first = jnp.arange(len(states)) == 0
    columns = [rewards, dones, first]
    taken = jax.nn.one_hot(jnp.array(actions), ACTIONS) * ~first[:, None]
    flags = jnp.stack([jnp.asarray(x, jnp.float32) for x in columns], -1)
    return jnp.concatenate([jax.nn.one_hot(jnp.array(states), STATES), taken, flags], -1)


def some_walk(key=KEY):
    """Episodes of five steps."""
    keys = jax.random.split(key, 3)
    states = jax.random.randint(keys[0], (TIME,), 0, STATES)
    actions = jax.random.randint(keys[1], (TIME,), 0, ACTIONS)
    times = jnp.arange(TIME)
    ends = (times % 5 == 0) & (times > 0)
    return walk(states, actions, jax.random.normal(keys[2], (TIME,)), ends)


@eqx.filter_jit
def read(memory, xs, resets=None):
    resets = jnp.zeros(len(xs), bool) if resets is None else resets
    return memory.sequence(memory.initial(), xs, resets)


def test_what_is_written_by_hand():
    """From 0 with action 1 to 2 for 5, from there with 1 to the episode's end for 7, and once more
    from 0 with 1 to 2, for −1."""
    xs = walk([0, 2, 0, 2], [0, 1, 1, 1], [0.0, 5.0, 7.0, -1.0], [0.0, 0.0, 1.0, 0.0])
    state, _ = read(table(), xs)
    wanted = np.zeros((STATES, ACTIONS, 2 + STATES))
    wanted[0, 1] = [2, 4, 0, 0, 2]  # twice, 5 − 1 in all, both times to 2
    wanted[2, 1] = [1, 7, 0, 0, 0]  # what begins an episode does not follow from the last one
    np.testing.assert_array_equal(state.table.reshape(wanted.shape), wanted)
    assert float(state.clock) == 1, "one step into the second episode"
    assert state.last.tolist() == [0, 0, 1]


def test_a_reset_forgets():
    xs, resets = some_walk(), jnp.arange(TIME) == 20
    state, hs = read(table(), xs, resets)
    alone, after = read(table(), xs[20:], resets[20:])
    assert float(state.table.reshape(-1, 2 + STATES)[:, 0].sum()) == 19
    assert float(alone.table.reshape(-1, 2 + STATES)[:, 0].sum()) == 19
    np.testing.assert_allclose(hs[21:], after[1:], rtol=1e-4, atol=1e-5)


def test_a_sequence_equals_stepping_through_episodes():
    memory, xs = table(), some_walk()
    state, rows = memory.initial(), []
    step = eqx.filter_jit(memory.step)
    for x in xs:
        state, row = step(state, x)
        rows.append(row)
    end, hs = read(memory, xs)
    np.testing.assert_allclose(hs, jnp.stack(rows), rtol=1e-4, atol=1e-5)
    assert eqx.tree_equal(end, state, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("of", ["states", "actions"])
def test_names_mean_nothing(of):
    """Other names for states change nothing; other names for actions change those of the rows."""
    memory, xs = table(), some_walk()
    states, actions = jnp.arange(STATES), jnp.arange(ACTIONS)
    order = jnp.array([2, 0, 1]) if of == "states" else jnp.array([1, 0])
    renamed = {
        "states": jnp.concatenate([order, STATES + jnp.arange(ACTIONS + 3)]),
        "actions": jnp.concatenate([states, STATES + order, STATES + ACTIONS + jnp.arange(3)]),
    }[of]
    (_, hs), (_, others) = (read(memory, x) for x in (xs, xs[:, renamed]))
    hs, others = (x.reshape(TIME, ACTIONS, -1) for x in (hs, others))
    kept = actions if of == "states" else order
    np.testing.assert_allclose(others, hs[:, kept], rtol=1e-4, atol=1e-5)
    assert float(jnp.abs(hs[-1, 0] - hs[-1, 1]).max()) > 1e-3, "rows that differ"
    actor, critic = memory.readouts(ACTIONS)
    actor, critic = (
        jax.tree.map(lambda x: jax.random.normal(KEY, x.shape), head) for head in (actor, critic)
    )
    mine, theirs = (x.reshape(TIME, -1) for x in (hs, others))
    np.testing.assert_allclose(actor(theirs), actor(mine)[:, kept], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(critic(theirs), critic(mine), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("rounds", "ahead"), [(0, 0), (1, 1), (2, 2)])
def test_values_are_passed_back_along_what_was_seen(rounds, ahead):
    """0 leads to 1, and 1 to 2, over and over, so that other transitions are all but ruled out.
    What 2 pays reaches 1 with one round, and 0 with two, by these ways: more than by the others."""
    states = [0, 1, 2] * 100 + [0]
    xs = walk(states, [0] * 301, [0.0] * 301, [0.0] * 301)
    ended = jnp.array([s == 0 for s in states]).at[0].set(False).astype(jnp.float32)
    xs = xs.at[:, STATES + ACTIONS + 1].set(ended)
    pays = ended[:, None] * jax.nn.one_hot(STATES + ACTIONS, xs.shape[1])[None]

    def change(of):
        """Of the row of `of`, by what action 0 pays in 2."""

        def row(paid):
            memory = table(rounds)
            state, _ = read(memory, xs + paid * pays)
            return memory.read(state, walk([of], [0], [0.0], [0.0])[0])

        return float(jnp.abs(jax.jvp(row, (0.3,), (1.0,))[1]).max())

    changes = [change(of) for of in (2, 1, 0)]
    assert changes[0] > 1e-2
    assert [c > 0.05 * changes[0] for c in changes] == [i <= ahead for i in range(3)], changes


def test_there_must_be_actions():
    with pytest.raises(qs.BadInput, match="actions is 0"):
        qs.TableMemory.create(2, 0, past=3, key=KEY)
