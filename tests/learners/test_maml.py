"""MAML: where its relatives are MAML, and whatever network and loss it is given."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from references.one_wave import KEY, MAML, MODEL, RATE, SETTINGS, STEPS, TASK, close, flat, gradient
from references.own_module import OwnModule, episodes


def same_as_maml():
    per_step = qs.RatePerStep.like(MODEL, RATE, STEPS)
    plus_plus = qs.MAMLPlusPlus.create(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)
    return {
        "plain rule": qs.InnerLoop(MODEL, qs.Rate(RATE), steps=STEPS, **SETTINGS),
        "one learned rate": qs.InnerLoop(MODEL, qs.LearnedRate(RATE), steps=STEPS, **SETTINGS),
        "meta-sgd": qs.MetaSGD.create(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS),
        "rate per step": qs.InnerLoop(MODEL, per_step, steps=STEPS, **SETTINGS),
        "optax": qs.InnerLoop(MODEL, qs.Optimiser(optax.sgd(RATE)), steps=STEPS, **SETTINGS),
        "maml++ at the end": plus_plus,
    }


@pytest.mark.parametrize("name", same_as_maml())
def test_where_the_rates_are_equal_it_is_maml(name):
    learner = same_as_maml()[name]
    close(flat(gradient(learner).model), flat(gradient(MAML).model))
    path, wanted = (
        jax.lax.map(lambda p: p(TASK.query.x), own.adapt_by_steps(TASK.support, STEPS))
        for own in (learner, MAML)
    )
    close(path, wanted)


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


def test_any_loss_can_be_meta_learned():
    def absolute_error(outputs, y):
        return jnp.mean(jnp.abs(outputs - y))

    learner = qs.MAML(qs.MLP(1, (8, 1), key=KEY), loss=absolute_error)
    task = qs.Sinusoid(shots=5).sample(KEY)
    outputs = learner.adapt(task.support)(task.query.x)
    found = learner.meta_loss(task)[1]["loss"]
    np.testing.assert_allclose(found, np.mean(np.abs(outputs - task.query.y)), rtol=1e-5)
