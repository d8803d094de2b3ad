"""Every learner, held to the same properties."""

import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.learners.transfer import Transfer
from quickstudy.nets.norm import NORMS
from quickstudy.testing import check_learner
from references.clusters import Clusters, Right
from references.compilations import compilations


def scattered(classes=12, items=8):
    """Classes of points in the plane that stay the same from task to task."""
    drawn = np.random.default_rng(0)
    centres = drawn.normal(size=(classes, 1, 2))
    return (centres + 0.2 * drawn.normal(size=(classes, items, 2))).astype(np.float32)


POINTS = Clusters()
SCATTERED = qs.Episodes(scattered(), ways=3, shots=2, queries=2)
WAVES = qs.Sinusoid(shots=10, queries=10, amplitude=(1.0, 1.0))
KEY = jax.random.key(0)


def mlp(*sizes, inputs=2):
    return qs.MLP(inputs, sizes, activation=jnp.tanh, key=KEY)


def headed(outputs=3, features=16):
    return qs.Headed(mlp(16, features), qs.Linear.create(features, outputs, key=KEY))


def with_context(size):
    return qs.WithContext(mlp(16, 16, 1, inputs=1 + size), jnp.zeros(size))


def reader(memory, *, inputs=2, outputs=3, make=qs.BlackBox, **settings):
    body = mlp(8, inputs=inputs)
    return make.create(body, 8, outputs=outputs, memory=memory, key=jax.random.key(1), **settings)


def class_means(inputs, *, key):
    return qs.ClassMeanMemory.create(inputs, 16, ways=3, key=key)


def small_snail(inputs, *, key):
    return qs.SNAIL.create(inputs, filters=4, attention=((8, 8), (8, 8)), past=8, key=key)


def small_transformer(inputs, *, key):
    return qs.Transformer.create(inputs, 16, heads=2, depth=1, past=8, key=key)


ORDERED = ("support order",)
SGD = qs.Optimiser(optax.sgd(0.3, momentum=0.5))
# A root of 1e-8 would make of a step nearly the gradient's sign: no finite difference tells its
# slope.
ADAM = qs.Optimiser(optax.adam(0.1, eps_root=1e-3))
CLASSES = qs.AllClasses(SCATTERED, batch=32)
# A learner, tasks that it can learn in a moment, and the properties that it does not promise.
LEARNERS = {
    "maml": (qs.MAML(mlp(16, 3), inner_lr=0.5), POINTS, ()),
    "maml, waves": (
        qs.MAML(mlp(16, 16, 1, inputs=1), inner_lr=0.05, steps=3, loss=qs.squared_error),
        WAVES,
        (),
    ),
    "first-order maml": (
        qs.FirstOrderMAML(mlp(16, 3), inner_lr=0.5, steps=2),
        POINTS,
        ("gradient",),
    ),
    "inner optimiser": (qs.InnerLoop(mlp(16, 3), SGD, steps=2), POINTS, ()),
    "inner adam": (qs.InnerLoop(mlp(16, 3), ADAM, steps=2), POINTS, ()),
    "meta-sgd": (qs.MetaSGD.create(mlp(16, 3), inner_lr=0.5), POINTS, ()),
    "anil": (qs.ANIL(headed(), inner_lr=0.5, steps=2), POINTS, ()),
    "boil": (qs.BOIL(headed(), inner_lr=0.5, steps=2), POINTS, ()),
    "cavia, waves": (
        qs.CAVIA(with_context(4), inner_lr=0.5, loss=qs.squared_error),
        WAVES,
        (),
    ),
    "maml++": (qs.MAMLPlusPlus.create(mlp(16, 3), inner_lr=0.5, steps=2), POINTS, ()),
    "implicit maml": (
        qs.ImplicitMAML(mlp(16, 3), inner_lr=0.3, steps=5, penalty=1.0),
        POINTS,
        ("gradient",),
    ),
    "reptile": (
        qs.Reptile(mlp(16, 3), qs.Rate(0.3), batch=6, test_steps=5),
        POINTS,
        ("gradient", "support order"),  # its minibatches are drawn by place
    ),
    "ridge regression": (qs.RidgeRegression(mlp(16, 8)), POINTS, ()),
    "ridge regression, waves": (
        qs.RidgeRegression(mlp(16, 16, inputs=1), loss=qs.squared_error),
        WAVES,
        (),
    ),
    "joint fine-tuning": (qs.JointFineTuning(mlp(16, 3), inner_lr=0.5, steps=5), POINTS, ()),
    "fine-tune all": (
        qs.FineTuneAll(mlp(16), qs.Linear.zeros(16, 12), steps=10),
        SCATTERED,
        (),
    ),
    "fine-tune head": (
        qs.FineTuneHead(mlp(16), qs.Linear.zeros(16, 12), steps=10),
        SCATTERED,
        (),
    ),
    "baseline++": (
        qs.BaselinePlusPlus(mlp(16), qs.CosineHead(mlp(16, 12).layers[1].weight.T), steps=10),
        SCATTERED,
        (),
    ),
    "nearest centroid": (
        qs.NearestCentroid(mlp(16), qs.Linear.zeros(16, 12)),
        SCATTERED,
        (),
    ),
    "prototypical": (qs.Prototypical(mlp(16, 4)), POINTS, ()),
    "prototypical, dot product, own f": (
        qs.Prototypical(mlp(16, 4), mlp(8, 4), similarity=qs.dot_product),
        POINTS,
        (),
    ),
    "matching": (qs.Matching(mlp(16, 4)), POINTS, ()),
    "matching, full context, own f": (
        qs.Matching(mlp(8, 4), mlp(16, 4), qs.FullContext.create(4, reads=2, key=KEY)),
        POINTS,
        ORDERED,
    ),
    "relation": (qs.Relation(mlp(16, 4), mlp(16, 1, inputs=8)), POINTS, ()),
    "lstm": (reader(qs.LSTM), POINTS, ORDERED),
    "lstm, shifted labels": (
        reader(qs.LSTM, make=qs.SequenceBlackBox, layout=qs.Shifted()),
        POINTS,
        ORDERED,
    ),
    "gru, waves": (
        reader(qs.GRU, inputs=1, outputs=1, loss=qs.squared_error),
        WAVES,
        ORDERED,
    ),
    "snail": (reader(small_snail), POINTS, ORDERED),
    "transformer": (reader(small_transformer), POINTS, ORDERED),
    "neural process": (reader(qs.MeanMemory), POINTS, ()),
    "neural process, class means": (reader(class_means), POINTS, ()),
    "attentive neural process": (reader(qs.AttentiveMemory), POINTS, ()),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_contract(name):
    learner, tasks, except_for = LEARNERS[name]
    leaves = jax.tree.leaves(learner)
    assert all(eqx.is_inexact_array(leaf) for leaf in leaves), "ours hold nothing but arrays"
    training = CLASSES if isinstance(learner, Transfer) else None
    check_learner(learner, tasks, training=training, except_for=except_for)


def demand_one_compilation(learner, tasks):
    """Called outside `jit`, later calls of the same shapes compile nothing."""
    first, *later = (tasks.sample(jax.random.key(i)) for i in range(3))

    def use(task):
        for adapt in (learner.adapt, learner.unadapted):
            adapt(task.support)(task.query.x)
        learner.adapt_by_steps(task.support, 2)

    use(first)
    with compilations() as compiled:
        for task in later:
            use(task)
    assert not compiled


@pytest.mark.parametrize("name", LEARNERS)
def test_eager_use_compiles_once(name):
    learner, tasks, _ = LEARNERS[name]
    demand_one_compilation(learner, tasks)


class WithALoop(Right):
    """Returns a function over arrays, whose loop is a fresh function in every call."""

    def adapt(self, support, *, key=None):
        predict = super().adapt(support)
        return lambda x: jax.lax.map(lambda row: predict(row[None])[0], x)


def test_eager_use_of_ones_own_learner_compiles_once():
    demand_one_compilation(WithALoop(), POINTS)


@pytest.mark.parametrize("make", [qs.MAML, qs.Prototypical])
@pytest.mark.parametrize("norm", NORMS)
def test_only_batch_statistics_see_the_other_queries(make, norm):
    body = qs.Conv4((8, 8, 1), filters=8, norm=norm, downsample="stride", key=KEY)
    learner = make(qs.Headed(body, qs.Linear.create(8, 3, key=KEY)))
    drawn = jax.random.normal(KEY, (12, 8, 8, 1))
    support = qs.Examples(drawn[:6], jnp.arange(6) % 3, 3)
    predict = eqx.filter_jit(lambda learner, x: learner.adapt(support)(x))
    queries, others = drawn[6:10], jnp.concatenate([drawn[6:8], drawn[10:12]])
    first, among_others = (np.asarray(predict(learner, x))[:2] for x in (queries, others))
    apart = np.max(np.abs(first - among_others)) / np.max(np.abs(first))
    assert learner.transductive == (norm == "batch")
    assert apart > 1e-2 if norm == "batch" else apart < 1e-6


# Those whose optimiser is a pair of Optax's own local functions, which pickle refuses.
OF_OPTAX = {"inner optimiser", "inner adam", "fine-tune all", "fine-tune head", "baseline++"}


@pytest.mark.parametrize("name", sorted(LEARNERS.keys() - OF_OPTAX))
def test_a_learner_can_be_pickled(name):
    learner, tasks, _ = LEARNERS[name]
    other = pickle.loads(pickle.dumps(learner))
    assert jax.tree.structure(other) == jax.tree.structure(learner)
    task = tasks.sample(KEY)
    predictions = [one.adapt(task.support, key=KEY)(task.query.x) for one in (learner, other)]
    np.testing.assert_array_equal(*predictions)
