"""Tasks of different sizes in one shape: what is drawn, and that padding counts for nothing."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.learners.losses import loss_on
from quickstudy.learners.transfer import Transfer

KEY = jax.random.key(0)
WAYS, SHOTS = 4, 3
DRAWN = np.random.default_rng(0)
CENTRES = DRAWN.normal(size=(12, 1, 2))
IMAGES = (CENTRES + 0.2 * DRAWN.normal(size=(12, 8, 2))).astype(np.float32)
LARGEST = qs.Episodes(IMAGES, ways=WAYS, shots=SHOTS, queries=2)
TASKS = qs.Varying(LARGEST, ways=2, shots=1)
SAMPLE = eqx.filter_jit(TASKS.sample)


def mlp(*sizes):
    return qs.MLP(2, sizes, activation=jnp.tanh, key=KEY)


HEAD = jax.random.normal(jax.random.key(2), (8, WAYS)) / 3


def headed(outputs, inputs=2):
    body = qs.MLP(inputs, (8,), activation=jnp.tanh, key=KEY)
    return qs.Headed(body, qs.Linear(HEAD[:, :outputs], jnp.zeros(outputs)))


def transformer(inputs, *, key):
    return qs.Transformer.create(inputs, 8, heads=2, depth=1, past=16, key=key)


def snail(inputs, *, key):
    return qs.SNAIL.create(inputs, filters=4, attention=((4, 4), (4, 4)), past=12, key=key)


def reader(memory, make=qs.BlackBox, layout=None):
    return make.create(mlp(4), 4, outputs=WAYS, memory=memory, layout=layout, key=KEY)


LEARNERS = {
    "prototypical": lambda n: qs.Prototypical(mlp(8, 4)),
    "matching": lambda n: qs.Matching(mlp(8, 4)),
    "matching in full context": lambda n: qs.Matching(
        mlp(8, 4), context=qs.FullContext.create(4, key=KEY)
    ),
    "relation": lambda n: qs.Relation(
        mlp(8, 4), qs.MLP(8, (8, 1), activation=jnp.tanh, key=jax.random.key(1))
    ),
    "ridge": lambda n: qs.RidgeRegression(mlp(8, 4)),
    "maml": lambda n: qs.MAML(headed(n), inner_lr=0.5, steps=3),
    "first-order maml": lambda n: qs.FirstOrderMAML(headed(n), inner_lr=0.5, steps=3),
    "meta-sgd": lambda n: qs.MetaSGD.create(headed(n), inner_lr=0.5, steps=3),
    "cavia": lambda n: qs.CAVIA(
        qs.WithContext(headed(n, inputs=5), jnp.zeros(3)), inner_lr=0.5, steps=3
    ),
    "inner adam": lambda n: qs.InnerLoop(
        headed(n), qs.Optimiser(optax.adam(0.1, eps_root=1e-3)), steps=3
    ),
    "joint fine-tuning": lambda n: qs.JointFineTuning(headed(n), inner_lr=0.5, steps=3),
    "anil": lambda n: qs.ANIL(headed(n), inner_lr=0.5, steps=3),
    "boil": lambda n: qs.BOIL(headed(n), inner_lr=0.5, steps=3),
    "imaml": lambda n: qs.ImplicitMAML(headed(n), inner_lr=0.1, steps=3),
    "reptile": lambda n: qs.Reptile(headed(n), qs.Rate(0.5), batch=4, test_steps=3),
    "maml++": lambda n: qs.MAMLPlusPlus.create(headed(n), inner_lr=0.5, steps=2),
    "fine-tune all": lambda n: qs.FineTuneAll(
        mlp(8), qs.Linear.zeros(8, 12), optimiser=optax.sgd(0.5), steps=5
    ),
    "fine-tune head": lambda n: qs.FineTuneHead(
        mlp(8), qs.Linear.zeros(8, 12), optimiser=optax.sgd(0.5), steps=5
    ),
    "baseline++": lambda n: qs.BaselinePlusPlus(
        mlp(8), qs.Linear.zeros(8, 12), optimiser=optax.sgd(0.5), steps=5
    ),
    "nearest centroid": lambda n: qs.NearestCentroid(mlp(8), qs.Linear.zeros(8, 12)),
}
SAME_HEAD = {
    "lstm": reader(qs.LSTM),
    "lstm, labels one late": reader(qs.LSTM, layout=qs.Shifted()),
    "answers every input": reader(qs.GRU, qs.SequenceBlackBox, qs.Shifted()),
    "snail": reader(snail),
    "transformer": reader(transformer),
    "neural process": reader(qs.MeanMemory),
    "class means": reader(partial(qs.ClassMeanMemory.create, ways=WAYS)),
    "attentive neural process": reader(qs.AttentiveMemory),
}


def unpadded(task):
    """The same task without its padding, of as many ways as it has."""
    ways = int(task.support.present.sum())
    sets = (
        qs.Examples(s.x[np.asarray(s.real)], s.y[np.asarray(s.real)], ways)
        for s in (task.support, task.query)
    )
    return qs.Task(*sets)


def without_padding(task):
    """The real examples of the same task, of as many ways as there can be."""
    sets = (
        qs.Examples(s.x[np.asarray(s.real)], s.y[np.asarray(s.real)], WAYS, None, s.present)
        for s in (task.support, task.query)
    )
    return qs.Task(*sets)


def padded_task(ways):
    """A task with padding of that many ways, whose padding is poisoned."""
    for i in range(100):
        task = SAMPLE(jax.random.key(i))
        if int(task.support.present.sum()) == ways and not bool(task.support.real.all()):
            assert not bool(task.query.real.all())
            return qs.Task(poisoned(task.support), poisoned(task.query))
    raise AssertionError("no such task was drawn")


def poisoned(examples):
    return examples.with_inputs(jnp.where(examples.real[:, None], examples.x, 1e3))


@pytest.mark.parametrize("name", LEARNERS)
def test_padding_counts_for_nothing(name):
    ways = 3
    task = padded_task(ways)
    full, small = LEARNERS[name](WAYS), LEARNERS[name](ways)
    full.check(task)
    bare = unpadded(task)
    found = full.adapt(task.support)(bare.query.x)[:, :ways]
    wanted = small.adapt(bare.support)(bare.query.x)
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-4)
    if isinstance(full, Transfer):  # its meta-loss is that of pre-training
        return
    (loss, metrics), (wanted, wanted_metrics) = full.meta_loss(task), small.meta_loss(bare)
    np.testing.assert_allclose(metrics["accuracy"], wanted_metrics["accuracy"], rtol=1e-5)
    np.testing.assert_allclose(loss, wanted, rtol=2e-3)


@pytest.mark.parametrize("name", ["maml", "first-order maml", "imaml", "maml++"])
def test_padding_counts_for_nothing_in_the_meta_gradient(name):
    """It is that of the task without padding, and zero where a class is absent."""
    ways, task = 3, padded_task(3)
    found, wanted = (
        eqx.filter_jit(lambda own, task: own.meta_gradient(task)[0])(LEARNERS[name](n), own)
        for n, own in ((WAYS, task), (ways, unpadded(task)))
    )
    for a, b in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
        there = tuple(slice(size) for size in b.shape)
        np.testing.assert_allclose(a[there], b, rtol=2e-3, atol=1e-5)
        assert not np.any(a.at[there].set(0))


@pytest.mark.parametrize("name", SAME_HEAD)
def test_a_memory_passes_over_padding(name):
    learner, task = SAME_HEAD[name], padded_task(3)
    learner.check(task)
    bare = without_padding(task)
    found, wanted = (learner.adapt(t.support)(task.query.x) for t in (task, bare))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    found, wanted = (learner.meta_loss(t)[0] for t in (task, bare))
    assert float(found) == pytest.approx(float(wanted), rel=1e-4)


@pytest.mark.parametrize("batch", [3, 20])
def test_reptile_draws_what_is_real(batch):
    """The same minibatches as without padding; and all there is, where that is less."""
    task = padded_task(3)
    bare = without_padding(task)
    count = len(bare.support) + len(bare.query)
    assert 3 < count < 20 == len(task.support) + len(task.query)
    full, small = (
        qs.Reptile(headed(WAYS), qs.Rate(0.5), batch=size, steps=3)
        for size in (batch, min(batch, count))
    )
    full.check(task)
    found, wanted = (
        learner.meta_gradient(t, key=KEY) for learner, t in ((full, task), (small, bare))
    )
    for a, b in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_what_is_drawn():
    tasks = [SAMPLE(jax.random.key(i)) for i in range(200)]
    ways = [int(task.support.present.sum()) for task in tasks]
    assert set(ways) == {2, 3, 4}
    sizes = set()
    for task, n in zip(tasks, ways, strict=True):
        support = np.asarray(task.support.y)[np.asarray(task.support.real)]
        counts = np.bincount(support, minlength=WAYS)
        assert (counts[:n] >= 1).all()
        assert not counts[n:].any()
        sizes |= set(counts[:n].tolist())
        query = np.asarray(task.query.y)[np.asarray(task.query.real)]
        assert (np.bincount(query, minlength=WAYS) == [2] * n + [0] * (WAYS - n)).all()
    assert sizes == {1, 2, 3}, "classes of one task differ in size"
    assert len({tuple(task.support.real.tolist()) for task in tasks}) > 20


def test_one_program_for_all_sizes():
    learner = LEARNERS["prototypical"](WAYS)
    traced = []

    @eqx.filter_jit
    def loss(task):
        traced.append(1)
        return learner.meta_loss(task)[0]

    for i in range(5):
        loss(SAMPLE(jax.random.key(i)))
    assert len(traced) == 1


def test_the_loss_is_of_real_examples_and_present_classes():
    """Two of three examples are real; of three classes two are present: logits 0 and 0 → log 2."""
    examples = qs.Examples(
        jnp.zeros((3, 1)),
        jnp.array([0, 1, 2]),
        3,
        jnp.array([True, True, False]),
        jnp.array([True, True, False]),
    )
    outputs = jnp.array([[0.0, 0.0, 9.0], [0.0, 0.0, 9.0], [0.0, 0.0, 9.0]])
    assert float(loss_on(qs.cross_entropy, outputs, examples)) == pytest.approx(np.log(2))


def test_it_can_be_trained_on():
    learner = qs.train(
        qs.Prototypical(mlp(8, 4)),
        TASKS,
        validation=TASKS,
        plan=qs.MetaPlan(steps=60, optimiser=optax.adam(1e-2), validate_every=60),
        key=KEY,
    )
    result = qs.evaluate(learner, TASKS, episodes=200, key=KEY)
    assert result.after.mean > 0.6


def test_a_network_that_looks_at_examples_together_is_refused():
    network = qs.Conv4((8, 8, 1), filters=2, norm="batch", downsample="stride", key=KEY)
    with pytest.raises(qs.BadInput, match=r"tasks are padded.*without padding"):
        qs.Prototypical(network).check(padded_task(3))


def test_fewest_and_most():
    with pytest.raises(qs.BadInput, match=r"fewest ways are 5; give a number from 2 to 4"):
        qs.Varying(LARGEST, ways=5)
    with pytest.raises(qs.BadInput, match=r"fewest shots are 0; give a number from 1 to 3"):
        qs.Varying(LARGEST, shots=0)
