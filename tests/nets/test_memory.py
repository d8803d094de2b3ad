"""Every memory, held to one protocol: a sequence equals stepping, and resets forget."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets.context import Context, Mean
from quickstudy.nets.memory import select

KEY = jax.random.key(0)
SIZE, TIME = 3, 9


def snail(inputs, *, key, past=12):
    return qs.SNAIL.create(inputs, filters=4, attention=((4, 4), (4, 4)), past=past, key=key)


def transformer(inputs, *, key, past=12):
    return qs.Transformer.create(inputs, 8, heads=2, depth=2, past=past, key=key)


def attentive(inputs, *, key, past=12):
    return qs.AttentiveMemory.create(inputs, 8, heads=2, past=past, key=key)


MEMORIES = {
    "lstm": qs.LSTM.create(SIZE, 5, key=KEY),
    "gru": qs.GRU.create(SIZE, 5, key=KEY),
    "snail": snail(SIZE, key=KEY),
    "transformer": transformer(SIZE, key=KEY),
    "mean": qs.MeanMemory.create(SIZE, 6, key=KEY),
    "class means": qs.ClassMeanMemory.create(SIZE, 6, ways=1, key=KEY),
    "attentive": attentive(SIZE, key=KEY),
    "reader": qs.Reader.create(qs.GRU.create(4 + 1, 5, key=KEY), 4, observed=2, key=KEY),
    "context": Context.create(SIZE, 6, observed=2, key=KEY),
    "table": qs.TableMemory.create(0, 1, 5, past=TIME, key=KEY),
    "context, mean": Context.create(SIZE, 6, observed=2, pooling=Mean(), key=KEY),
    "snail, short": snail(SIZE, key=KEY, past=3),
    "transformer, short": transformer(SIZE, key=KEY, past=3),
    "attentive, short": attentive(SIZE, key=KEY, past=3),
}
NO_MEMORY = {"none": qs.Memoryless.create(5, observed=2, key=KEY)}  # with nothing to forget
XS = jax.random.normal(jax.random.key(1), (TIME, SIZE))


def inputs(name):
    """Of a table: the one action there is, its reward, and no end of an episode."""
    return XS.at[:, 0].set(1.0).at[:, 2].set(0.0) if name == "table" else XS


@eqx.filter_jit
def sequence(memory, state, xs, resets):
    return memory.sequence(state, xs, resets)


@eqx.filter_jit
def step(memory, state, x, reset):
    return memory.step(select(reset, memory.initial(), state), x)


def stepped(memory, state, xs, resets):
    """The plain meaning of `sequence`."""
    hs = []
    for x, reset in zip(xs, resets, strict=True):
        state, h = step(memory, state, x, reset)
        hs.append(h)
    return state, jnp.stack(hs)


@pytest.mark.parametrize("resets", [(), (0,), (4,), (2, 3, 8)], ids=str)
@pytest.mark.parametrize("name", [*MEMORIES, "none"])
def test_a_sequence_equals_stepping(name, resets):
    xs = inputs(name)
    memory = (MEMORIES | NO_MEMORY)[name]
    never = jnp.zeros((), bool)
    state, _ = step(memory, memory.initial(), jnp.ones(SIZE), never)  # something to forget
    marks = jnp.array([t in resets for t in range(TIME)])
    (found, hs), (wanted, steps) = (run(memory, state, xs, marks) for run in (sequence, stepped))
    np.testing.assert_allclose(hs, steps, rtol=1e-4, atol=1e-5)
    # What the states hold is seen in what they answer next.
    after = [step(memory, end, xs[0], never)[1] for end in (found, wanted)]
    np.testing.assert_allclose(*after, rtol=1e-4, atol=1e-5)
    assert hs.shape == (TIME, memory.features)


@pytest.mark.parametrize("resets", [(), (2, 3, 8)], ids=str)
@pytest.mark.parametrize("name", [*MEMORIES, "none"])
def test_a_whole_sequence_is_one_from_the_start(name, resets):
    xs = inputs(name)
    memory = (MEMORIES | NO_MEMORY)[name]
    marks = jnp.array([t in resets for t in range(TIME)])
    end, found = eqx.filter_jit(type(memory).whole)(memory, xs, marks)
    wanted_end, wanted = sequence(memory, memory.initial(), xs, marks)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    assert eqx.tree_equal(end, wanted_end, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MEMORIES)
def test_a_sequence_in_two_parts(name):
    xs = inputs(name)
    memory, never = MEMORIES[name], jnp.zeros(TIME, bool)
    _, whole = sequence(memory, memory.initial(), xs, never)
    middle, first = sequence(memory, memory.initial(), xs[:4], never[:4])
    _, second = sequence(memory, middle, xs[4:], never[4:])
    np.testing.assert_allclose(jnp.concatenate([first, second]), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MEMORIES)
def test_nothing_from_before_a_reset_or_from_the_future(name):
    xs = inputs(name)
    memory = MEMORIES[name]
    resets = jnp.zeros(TIME, bool).at[5].set(True)
    _, hs = sequence(memory, memory.initial(), xs, resets)
    _, others = sequence(memory, memory.initial(), xs.at[:5].add(1.0), resets)
    np.testing.assert_allclose(others[5:], hs[5:], rtol=1e-4, atol=1e-5)
    _, others = sequence(memory, memory.initial(), xs.at[5:].add(1.0), resets)
    np.testing.assert_array_equal(others[:5], hs[:5])
    never = jnp.zeros(TIME, bool)
    _, kept = sequence(memory, memory.initial(), xs, never)
    assert float(jnp.max(jnp.abs(kept[5] - hs[5]))) > 1e-4, "the reset changes nothing"


@pytest.mark.parametrize("name", MEMORIES)
def test_reading_does_not_write(name):
    xs = inputs(name)
    memory = MEMORIES[name]
    state, _ = sequence(memory, memory.initial(), xs, jnp.zeros(TIME, bool))
    answers = eqx.filter_jit(lambda m, s, xs: jax.vmap(m.read, (None, 0))(s, xs))(memory, state, xs)
    assert answers.shape == (TIME, memory.features)
    alone = memory.read(state, xs[3])
    np.testing.assert_allclose(answers[3], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["mean", "attentive"])
def test_sets_have_no_order(name):
    memory, never = MEMORIES[name], jnp.zeros(TIME, bool)
    (there, _), (back, _) = (sequence(memory, memory.initial(), xs, never) for xs in (XS, XS[::-1]))
    answers = [memory.read(state, jnp.ones(SIZE)) for state in (there, back)]
    np.testing.assert_allclose(*answers, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "gru", "reader", "snail", "transformer"])
def test_sequences_have_an_order(name):
    memory, never = MEMORIES[name], jnp.zeros(TIME, bool)
    (there, _), (back, _) = (sequence(memory, memory.initial(), xs, never) for xs in (XS, XS[::-1]))
    answers = [memory.read(state, jnp.ones(SIZE)) for state in (there, back)]
    assert float(jnp.max(jnp.abs(answers[0] - answers[1]))) > 1e-3


def test_reach():
    reaches = {name: memory.reach for name, memory in MEMORIES.items()}
    assert reaches["snail, short"] == reaches["transformer, short"] == 3
    assert reaches["attentive, short"] == 3
    assert reaches["lstm"] is reaches["gru"] is reaches["mean"] is None
    assert qs.Reader.create(MEMORIES["snail, short"], 1, observed=2, key=KEY).reach == 3


@pytest.mark.parametrize("name", ["transformer, short", "attentive, short"])
def test_what_is_out_of_reach_is_forgotten(name):
    memory, never = MEMORIES[name], jnp.zeros(TIME, bool)
    _, hs = sequence(memory, memory.initial(), XS, never)
    depth = len(getattr(memory, "layers", [0, 0])) - 1
    _, others = sequence(memory, memory.initial(), XS.at[0].add(1.0), never)
    reach = 3 * depth  # each block looks 3 back at what the one before saw
    np.testing.assert_allclose(others[reach + 1 :], hs[reach + 1 :], rtol=1e-4, atol=1e-5)
    assert float(jnp.max(jnp.abs(others[1] - hs[1]))) > 1e-5


def test_lstm_by_hand():
    """All weights zero but the biases: i = o = σ(0), f = σ(1), g = tanh(b)."""
    memory = qs.LSTM(
        qs.Linear(jnp.zeros((1, 4)), jnp.array([0.0, 1.0, 0.0, 2.0])), jnp.zeros((1, 4)), features=1
    )
    (h, c), out = memory.step((jnp.array([0.3]), jnp.array([2.0])), jnp.array([5.0]))
    c_wanted = 2 / (1 + np.exp(-1)) + 0.5 * np.tanh(2)
    np.testing.assert_allclose([c[0], h[0]], [c_wanted, 0.5 * np.tanh(c_wanted)], rtol=1e-6)
    assert out is h


def test_gru_by_hand():
    """With z = r = ½ and no inputs, h ← ½ tanh(½ · 2h) + ½ h."""
    memory = qs.GRU(
        qs.Linear(jnp.zeros((1, 3)), jnp.zeros(3)), jnp.array([[0.0, 0.0, 2.0]]), features=1
    )
    h, _ = memory.step(jnp.array([0.8]), jnp.array([5.0]))
    np.testing.assert_allclose(h[0], 0.5 * np.tanh(0.8) + 0.4, rtol=1e-6)
