"""Black-box learners: what is read, what is asked, and from which state."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs

KEY = jax.random.key(0)
SUPPORT = qs.Examples(jnp.array([[5.0], [6.0], [7.0]]), jnp.array([1, 0, 1]), 2)
QUERY = jnp.array([[8.0], [9.0]])


class Diary(qs.Memory):
    """Answers with all that it was given, the newest last; room for five inputs."""

    def initial(self):
        return jnp.zeros((5, self.features // 5))

    def step(self, state, x_t):
        state = jnp.concatenate([state[1:], x_t[None]])
        return state, state.reshape(-1)

    def sequence(self, state, xs, resets):
        return jax.lax.scan(self.step, state, xs)


def read(learner):
    """The probes answer with what they saw, not with a number per class: past the checks."""
    return np.asarray(qs.BlackBox.adapt.__wrapped__(learner, SUPPORT)(QUERY)).reshape(2, 5, -1)


def entries(layout, size):
    """What the memory had before it at each query, one row per input."""
    memory = Diary(features=5 * size)
    head = qs.Linear(jnp.eye(5 * size), jnp.zeros(5 * size))
    learner = qs.BlackBox(lambda x: x, memory, head, layout)
    return read(learner)


def test_pairs():
    """(x_i, y_i, 1), then (x, 0, 0); and the second query does not see the first."""
    found = entries(qs.Paired(), 4)
    support = [[5, 0, 1, 1], [6, 1, 0, 1], [7, 0, 1, 1]]
    for answer, x in zip(found, (8, 9), strict=True):
        assert answer.tolist() == [[0, 0, 0, 0], *support, [x, 0, 0, 0]]


def test_labels_are_as_loud_as_features():
    """Unit vectors times √f: beside four features of variance 1, a label has a norm of 2."""
    memory = Diary(features=5 * 7)
    learner = qs.BlackBox(
        lambda x: jnp.repeat(x, 4, 1), memory, qs.Linear(jnp.eye(35), jnp.zeros(35))
    )
    found = read(learner)
    assert found[0, 1].tolist() == [5, 5, 5, 5, 0, 2, 1]


def test_labels_one_step_late():
    """(x_i, y_{i−1}), then (x, y_n)."""
    found = entries(qs.Shifted(), 3)
    support = [[5, 0, 0], [6, 0, 1], [7, 1, 0]]
    for answer, x in zip(found, (8, 9), strict=True):
        assert answer.tolist() == [[0, 0, 0], *support, [x, 0, 1]]


def test_unadapted_has_read_nothing():
    learner = qs.BlackBox.create(lambda x: x, 1, outputs=2, memory=qs.GRU, key=KEY)
    first, second = (
        learner.unadapted(qs.Examples(SUPPORT.x + shift, SUPPORT.y, 2))(QUERY) for shift in (0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert float(jnp.max(jnp.abs(learner.adapt(SUPPORT)(QUERY) - first))) > 1e-3


def test_every_answer_counts():
    """The loss of the whole sequence: the support answers before their labels, then the queries."""
    learner = qs.SequenceBlackBox.create(
        lambda x: x, 1, outputs=2, memory=qs.GRU, layout=qs.Shifted(), key=KEY
    )
    task = qs.Task(SUPPORT, qs.Examples(QUERY, jnp.array([0, 1]), 2))
    tokens = jnp.array([[5.0, 0, 0], [6, 0, 1], [7, 1, 0]])
    state, outputs = learner.memory.initial(), []
    for token in tokens:
        state, h = learner.memory.step(state, token)
        outputs.append(learner.head(h[None])[0])
    outputs.extend(learner.adapt(SUPPORT)(QUERY))
    wanted = qs.cross_entropy(jnp.stack(outputs), jnp.array([1, 0, 1, 0, 1]))
    assert float(learner.meta_loss(task)[0]) == pytest.approx(float(wanted), rel=1e-5)
    paired = dataclasses.replace(learner, layout=qs.Paired())
    with pytest.raises(qs.BadInput, match=r"give layout=Shifted\(\)"):
        paired.check(task)


def test_regression():
    tasks = qs.Sinusoid(shots=4)
    learner = qs.BlackBox.create(
        lambda x: x, 1, outputs=1, memory=qs.MeanMemory, loss=qs.squared_error, key=KEY
    )
    task = tasks.sample(KEY)
    learner.check(task)
    assert learner.adapt(task.support)(task.query.x).shape == task.query.y.shape


def test_tasks_that_do_not_fit():
    learner = qs.BlackBox.create(lambda x: x, 1, outputs=3, memory=qs.GRU, key=KEY)
    task = qs.Task(SUPPORT, SUPPORT)
    with pytest.raises(qs.BadInput, match=r"3 outputs and the tasks need 2.*--ways 2"):
        learner.check(task)

    def short(inputs, *, key):
        return qs.Transformer.create(inputs, 8, heads=2, past=2, key=key)

    learner = qs.BlackBox.create(lambda x: x, 1, outputs=2, memory=short, key=KEY)
    with pytest.raises(qs.BadInput, match=r"looks 2 inputs back .* has 3; create it with past=3"):
        learner.check(task)
