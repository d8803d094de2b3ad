"""The check of learners: a right one passes; each property has a learner wrong in just that."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.checkpoint import Checkpoints
from quickstudy.testing import PROPERTIES, ConformanceError, check_learner
from references.clusters import Clusters, Right

POINTS = Clusters()


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
        return Right(scale=self.scale).meta_gradient(task, key=key, progress=progress)


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


class Sloped(eqx.Module):
    slope: jax.Array

    def __call__(self, x):
        return jnp.broadcast_to(self.slope, (len(x), 3))


class ForgetsStepZero(Right):
    def adapt_by_steps(self, support, steps):
        return Sloped(jnp.ones(steps))


class NeverLearns(Right):
    def adapt(self, support, *, key=None):
        return lambda x: jnp.sum(self.scale) * jnp.ones((x.shape[0], support.ways))


# Each with what is said of it: an accident in the check would be a failure, too.
BROKEN = {
    "parameters": (WholeNumbers(), "it has arrays of int32; make them static fields"),
    "check": (RefusesTheTasks(), "no$"),
    "determinism": (RemembersCalls(), "two equal calls differ"),
    "jit": (KnowsWhetherItIsCompiled(), "jit and no jit are .* apart"),
    "vmap": (DoubledByVmap(), "vmap and the loop are .* apart"),
    "support order": (PrefersTheFirst(), "another order of the support set .* apart"),
    "other queries": (SeesAllQueries(), "a prediction among other queries .* apart"),
    "devices": (SumsOverDevices(), "the gradient over all devices and over one are .* apart"),
    "gradient": (TwoPercentOff(), "off by .* along a line"),
    "steps": (ForgetsStepZero(), "2 steps gave 2 predictors"),
    "training": (NeverLearns(), "its gain in accuracy is"),
    "resume": (Right(), "the weights differ"),
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
    learner, said = BROKEN[name]
    with pytest.raises(ConformanceError, match=rf"breaks the property '{name}' \(.*\) {said}"):
        check_learner(learner, POINTS, except_for=PROPERTIES.keys() - {name})


def test_unknown_property():
    with pytest.raises(qs.BadInput, match=r"'speed'.*choose from"):
        check_learner(Right(), POINTS, except_for=("speed",))
