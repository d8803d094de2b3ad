"""Every learner, held to the same properties; and each property, shown to be able to fail."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.checkpoint import Checkpoints
from quickstudy.learners.losses import Loss
from quickstudy.nets.norm import NORMS
from quickstudy.testing import PROPERTIES, ConformanceError, check_learner


class Clusters(eqx.Module):
    """Classes are points of the plane, their examples lie around them."""

    ways: int = eqx.field(static=True, default=3)
    shots: int = eqx.field(static=True, default=2)

    def sample(self, key):
        n = self.ways * self.shots
        drawn = jax.random.normal(key, (self.ways + 2 * n, 2))
        label = jnp.tile(jnp.arange(self.ways), 2 * self.shots)
        x = drawn[label] + 0.2 * drawn[self.ways :]
        support, query = (
            qs.Examples(x[i], label[i], self.ways) for i in (slice(n), slice(n, None))
        )
        return qs.Task(support, query)


POINTS = Clusters()
WAVES = qs.Sinusoid(shots=10, queries=10, amplitude=(1.0, 1.0))

KEY = jax.random.key(0)


def mlp(*sizes, inputs=2):
    return qs.MLP(inputs, sizes, activation=jnp.tanh, key=KEY)


# A learner, tasks that it can learn in a moment, and the properties that it does not promise.
LEARNERS = {
    "maml": (qs.MAML(mlp(16, 3), inner_lr=0.5), POINTS, ()),
    "maml, waves": (
        qs.MAML(mlp(16, 16, 1, inputs=1), inner_lr=0.05, steps=3, loss=qs.squared_error),
        WAVES,
        (),
    ),
    "joint fine-tuning": (qs.JointFineTuning(mlp(16, 3), inner_lr=0.5, steps=5), POINTS, ()),
    "prototypical": (qs.Prototypical(mlp(16, 4)), POINTS, ()),
    "prototypical, dot product": (
        qs.Prototypical(mlp(16, 4), similarity=qs.dot_product),
        POINTS,
        (),
    ),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_contract(name):
    learner, tasks, except_for = LEARNERS[name]
    leaves = jax.tree.leaves(learner)
    assert all(eqx.is_inexact_array(leaf) for leaf in leaves), "ours hold nothing but arrays"
    check_learner(learner, tasks, except_for=except_for)


# One learner that is right, and for every property one that is wrong in just that.


class Right(qs.Learner):
    """Prototypes of the inputs themselves, each coordinate scaled by θ."""

    scale: jax.Array = eqx.field(default_factory=lambda: jnp.full(2, 0.01))
    loss: Loss = eqx.field(static=True, default=qs.cross_entropy)

    def adapt(self, support, *, key=None):
        members = jax.nn.one_hot(support.y, support.ways).T / 2
        centres = members @ (support.x * self.scale[None])
        return lambda x: qs.negative_squared_distance(x * self.scale[None], centres)


class WholeNumbers(Right):
    count: jax.Array = eqx.field(default_factory=lambda: jnp.arange(3))


class RefusesTheTasks(Right):
    def check(self, task):
        raise qs.BadInput("no")


class RemembersCalls(Right):
    calls: list = eqx.field(static=True, default_factory=list)

    def adapt(self, support, *, key=None):
        self.calls.append(1)
        predict, calls = super().adapt(support), len(self.calls)
        return lambda x: calls * predict(x)


class KnowsWhetherItIsCompiled(Right):
    def adapt(self, support, *, key=None):
        predict = super().adapt(support)
        factor = 2 if isinstance(support.x, jax.core.Tracer) else 1
        return lambda x: factor * predict(x)


@jax.custom_batching.custom_vmap
def doubled_by_vmap(x):
    return x


@doubled_by_vmap.def_vmap
def _(size, batched, x):
    return 2 * x, batched[0]


class DoubledByVmap(Right):
    def adapt(self, support, *, key=None):
        return super().adapt(qs.Examples(doubled_by_vmap(support.x), support.y, support.ways))

    def meta_gradient(self, task, *, key=None, progress=1.0):
        return Right(self.scale).meta_gradient(task, key=key, progress=progress)


class PrefersTheFirst(Right):
    def adapt(self, support, *, key=None):
        predict = super().adapt(support)
        return lambda x: predict(x) + support.x[:1, :1]


class SeesAllQueries(Right):
    def adapt(self, support, *, key=None):
        predict = super().adapt(support)
        return lambda x: predict(x - jnp.mean(x, 0)[None])


class SumsOverDevices(Right):
    def meta_gradient(self, task, *, key=None, progress=1.0):
        gradient, metrics = super().meta_gradient(task, key=key, progress=progress)
        try:
            devices = jax.lax.axis_size("tasks")
        except NameError:  # not within a mesh
            devices = 1
        return jax.tree.map(lambda g: g * devices, gradient), metrics


class TwoPercentOff(Right):
    def meta_gradient(self, task, *, key=None, progress=1.0):
        gradient, metrics = super().meta_gradient(task, key=key, progress=progress)
        return jax.tree.map(lambda g: 1.02 * g, gradient), metrics


class ForgetsStepZero(Right):
    def adapt_by_steps(self, support, steps):
        scales = jnp.broadcast_to(self.scale, (steps, 2))
        return Right(scales)


class NeverLearns(Right):
    def adapt(self, support, *, key=None):
        return lambda x: jnp.sum(self.scale) * jnp.ones((x.shape[0], support.ways))


BROKEN = {
    "parameters": WholeNumbers(),
    "check": RefusesTheTasks(),
    "determinism": RemembersCalls(),
    "jit": KnowsWhetherItIsCompiled(),
    "vmap": DoubledByVmap(),
    "support order": PrefersTheFirst(),
    "other queries": SeesAllQueries(),
    "devices": SumsOverDevices(),
    "gradient": TwoPercentOff(),
    "steps": ForgetsStepZero(),
    "training": NeverLearns(),
    "resume": Right(),
}


def test_a_right_learner_passes():
    check_learner(Right(), POINTS, except_for=("training", "resume"))


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_can_fail(name, monkeypatch):
    if name == "resume":  # here the learner is right, and the checkpoint wrong
        restore = Checkpoints.restore
        monkeypatch.setattr(
            Checkpoints, "restore", lambda *a: jax.tree.map(lambda x: 2 * x, restore(*a))
        )
    with pytest.raises(ConformanceError, match=f"breaks the property '{name}'"):
        check_learner(BROKEN[name], POINTS, except_for=PROPERTIES.keys() - {name})


def test_unknown_property():
    with pytest.raises(qs.BadInput, match=r"'speed'.*choose from"):
        check_learner(Right(), POINTS, except_for=("speed",))


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
