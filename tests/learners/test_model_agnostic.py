"""The same MAML meta-learns any network with any loss."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.training.algorithm import update
from quickstudy.training.meta_training import MetaTraining

KEY = jax.random.key(0)
DRAWN = np.random.default_rng(0)


class OwnModule(eqx.Module):
    """A user's module for single examples: dropout, and an activation as a leaf."""

    layers: list
    dropout: eqx.nn.Dropout
    activation: object

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.layers = [eqx.nn.Linear(2, 12, key=first), eqx.nn.Linear(12, 3, key=second)]
        self.dropout = eqx.nn.Dropout(0.5)
        self.activation = jnp.tanh  # a leaf that is no array

    def __call__(self, x, *, key=None):
        return self.layers[1](self.dropout(self.activation(self.layers[0](x)), key=key))


class SequenceModel(eqx.Module):
    """A transformer over sequences `[n, time, d]`, read at the last time."""

    memory: qs.Transformer
    head: qs.Linear

    def __call__(self, x):
        def last(xs):
            never = jnp.zeros(xs.shape[0], bool)
            return self.memory.sequence(self.memory.initial(), xs, never)[1][-1]

        return self.head(jax.vmap(last)(x))


def absolute_error(outputs, y):
    """A user's loss."""
    return jnp.mean(jnp.sqrt((outputs - y) ** 2 + 1e-3))


def episodes(*shape, spread=0.3, classes=10):
    """Classes around random centres, of inputs of any shape."""
    centres = DRAWN.normal(size=(classes, 1, *shape))
    items = centres + spread * DRAWN.normal(size=(classes, 6, *shape))
    return qs.Episodes(items.astype(np.float32), ways=3, shots=1, queries=2)


def sequence_model():
    memory = qs.Transformer.create(2, 8, heads=2, depth=1, past=6, key=KEY)
    return SequenceModel(memory, qs.Linear.create(8, 3, key=KEY))


def image_model(body):
    return qs.Headed(body, qs.Linear.zeros(body.features, 3))


WAVES = qs.Sinusoid(shots=5, queries=5, amplitude=(1.0, 1.0))
RESNET = qs.ResNet12((16, 16, 1), filters=(2, 2, 2, 4), key=KEY)
CASES = {
    "mlp, squared error": (qs.MLP(1, (16, 1), key=KEY), WAVES, qs.squared_error, 0.05),
    "mlp, a user's loss": (qs.MLP(1, (16, 1), key=KEY), WAVES, absolute_error, 0.05),
    "a user's module": (qs.Noisy(OwnModule(KEY)), episodes(2), qs.cross_entropy, 0.5),
    "conv4": (
        image_model(qs.Conv4((8, 8, 1), filters=4, downsample="stride", key=KEY)),
        episodes(8, 8, 1),
        qs.cross_entropy,
        0.4,
    ),
    "transformer": (sequence_model(), episodes(4, 2), qs.cross_entropy, 0.2),
    "resnet12": (image_model(RESNET), episodes(16, 16, 1), qs.cross_entropy, 0.4),
}


@pytest.mark.parametrize("name", CASES)
def test_maml_meta_learns_it(name):
    """Thirty steps of Adam on the exact meta-gradient lower the query loss."""
    model, tasks, loss, rate = CASES[name]
    learner = qs.MAML(model, inner_lr=rate, loss=loss)
    optimiser = optax.adam(1e-2)
    theta, rest = eqx.partition(learner, eqx.is_inexact_array)

    @jax.jit  # one program for everything: compiling takes longer than running it
    def step(theta, state, key):
        learner = eqx.combine(theta, rest)
        gradient, metrics = learner.meta_gradient(tasks.sample(key))
        gradient = eqx.filter(gradient, eqx.is_inexact_array)
        updates, state = optimiser.update(gradient, state)
        return optax.apply_updates(theta, updates), state, metrics["loss"]

    def losses(theta):
        keys = jax.random.split(jax.random.key(9), 12)
        return np.mean([step(theta, optimiser.init(theta), key)[2] for key in keys])

    trained, state = theta, optimiser.init(theta)
    for i in range(30):
        trained, state, _ = step(trained, state, jax.random.fold_in(KEY, i))
    assert losses(trained) < 0.95 * losses(theta)


class OneTask(eqx.Module):
    """The same task again and again, whatever the key."""

    task: qs.Task

    def sample(self, key):
        return self.task


def test_dropout_draws_in_training_and_not_in_evaluation():
    tasks = OneTask(episodes(2).sample(KEY))
    thinned = qs.MAML(qs.Noisy(OwnModule(KEY)), inner_lr=0.5, steps=2)
    whole = qs.MAML(qs.Batched(eqx.nn.inference_mode(OwnModule(KEY))), inner_lr=0.5, steps=2)
    support, query = tasks.task.support, tasks.task.query
    with jax.disable_jit():  # two compiled programs may round differently
        found, wanted = (learner.adapt(support)(query.x) for learner in (thinned, whole))
    np.testing.assert_array_equal(found, wanted)

    @eqx.filter_jit
    def losses(training, key):
        return update(training, training.init(), key, jnp.zeros(()))[1]["loss"]

    for batch in (1, 2):
        first, second, plain = (
            float(losses(MetaTraining(learner, tasks, tasks, optax.sgd(0.1), batch, 2), key))
            for learner, key in ((thinned, KEY), (thinned, jax.random.key(1)), (whole, KEY))
        )
        assert len({first, second, plain}) == 3
        if batch == 1:
            alone = first
    assert first != alone, "every task draws anew"


def test_resnet_is_the_textbook_one():
    """Block by block with `lax.conv` and the order of the paper."""

    def conv(x, kernel):
        names = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=names)

    x = wanted = jax.random.normal(KEY, (2, 16, 16, 1))
    for block in RESNET.blocks:
        beside = block.shortcut.norm(conv(wanted, block.shortcut.kernel))
        for i, unit in enumerate(block.units):
            wanted = unit.norm(conv(wanted, unit.kernel))
            wanted = wanted + beside if i == 2 else wanted
            wanted = jnp.where(wanted > 0, wanted, 0.1 * wanted)
        wanted = pooled(wanted)
    np.testing.assert_allclose(RESNET(x), wanted.mean((1, 2)), rtol=1e-3, atol=1e-5)
    assert RESNET.features == 4


def pooled(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def test_resnet_keeps_support_statistics():
    net = qs.ResNet12((16, 16, 1), filters=(2, 2, 2, 4), norm="support", key=KEY)
    support, query = jax.random.normal(KEY, (2, 3, 16, 16, 1))
    seen = net.condition(support)
    alone = jnp.concatenate([seen(query[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(seen(query), alone, rtol=1e-3, atol=1e-4)
    with pytest.raises(qs.BadInput, match=r"8×20 are too small.*16×16"):
        qs.ResNet12((8, 20, 1), key=KEY)
