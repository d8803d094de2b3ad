"""What a learner refuses, when it is made or checked, and what it says to do."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.learners.prototypical import Prototypes
from quickstudy.nets.norm import make_norm
from quickstudy.testing import PROPERTIES, check_learner

KEY = jax.random.key(0)
DRAWN = np.random.default_rng(0).normal(size=(12, 8, 2)).astype(np.float32)
POINTS = qs.Episodes(DRAWN, ways=3, shots=2, queries=2)


def mlp(*sizes, inputs=2):
    return qs.MLP(inputs, sizes, activation=jnp.tanh, key=KEY)


def after_check(learner):
    learner.check(eqx.filter_eval_shape(POINTS.sample, KEY))


def zero_head():
    return qs.Headed(mlp(4), qs.Linear.zeros(4, 3))


# What cannot work, and what is said about it.
BAD_INPUT = {
    "maml++ without steps": (
        lambda: qs.MAMLPlusPlus.create(mlp(3), steps=0),
        "steps is 0 and MAML.* give a whole number of 1 or more",
    ),
    "anil without halves": (
        lambda: after_check(qs.ANIL(mlp(3))),
        r"ANIL .* MLP has no body and head; give quickstudy.Headed",
    ),
    "boil without halves": (
        lambda: after_check(qs.BOIL(mlp(3))),
        r"BOIL .* MLP has no body and head; give quickstudy.Headed",
    ),
    "boil on a head of zeros": (
        lambda: after_check(qs.BOIL(zero_head())),
        r"head is all zeros: give it weights that are drawn",
    ),
    "reptile without a batch": (
        lambda: qs.Reptile(mlp(3), batch=0),
        "batch is 0 and Reptile .* give a whole number of 1 or more",
    ),
    "reptile without steps": (
        lambda: qs.Reptile(mlp(3), steps=0),
        "steps is 0 and Reptile .* give a whole number of 1 or more",
    ),
    "matching that never reads": (
        lambda: qs.FullContext.create(4, reads=0, key=KEY),
        r"reads is 0.*give a whole number of 1 or more, or context=NoContext\(\)",
    ),
    "attention with too many heads": (
        lambda: qs.AttentiveMemory.create(3, 10, heads=4, key=KEY),
        "10 features cannot be shared among 4 heads; give a multiple",
    ),
    "relation with two scores": (
        lambda: after_check(qs.Relation(mlp(4), mlp(2, inputs=8))),
        r"outputs of shape \[2\] for each pair; give one with a single output",
    ),
    "implicit maml without a penalty": (
        lambda: qs.ImplicitMAML(mlp(3), penalty=0.0),
        "penalty is 0.0.*give a number above 0",
    ),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_what_cannot_work_is_refused_at_once(name):
    attempt, message = BAD_INPUT[name]
    with pytest.raises(qs.BadInput, match=message):
        attempt()


class Flat(eqx.Module):
    """A user's network: a layer and a norm, and no `condition`."""

    layer: qs.Linear
    norm: eqx.Module

    @classmethod
    def of(cls, inputs, outputs, norm="support"):
        return cls(qs.Linear.create(inputs, outputs, key=KEY), make_norm(norm, outputs))

    def __call__(self, x):
        return self.norm(self.layer(x))


class Conditioned(Flat):
    """The same, which lets its norm see the support set."""

    def condition(self, x):
        return type(self)(self.layer, self.norm.condition(self.layer(x)))


class NeverConditions(qs.Learner):
    """A learner of one's own that forgets to let its network see the support set."""

    embed: Flat = eqx.field(default_factory=lambda: Conditioned.of(2, 4))

    def adapt(self, support, *, key=None):
        centres = jax.nn.one_hot(support.y, support.ways).T @ self.embed(support.x) / 2
        return Prototypes(self.embed, centres, qs.negative_squared_distance)


SEES_NOTHING = {
    "maml": qs.MAML(Flat.of(2, 3)),
    "maml, in a head": qs.MAML(qs.Headed(mlp(4), Flat.of(4, 3))),
    "maml++": qs.MAMLPlusPlus.create(Flat.of(2, 3)),
    "anil": qs.ANIL(qs.Headed(Flat.of(2, 4), qs.Linear.zeros(4, 3))),
    "prototypical": qs.Prototypical(Flat.of(2, 4)),
    "matching, own f": qs.Matching(mlp(4), Flat.of(2, 4)),
    "relation, g": qs.Relation(mlp(4), Flat.of(8, 1)),
    "black box": qs.BlackBox.create(Flat.of(2, 4), 4, outputs=3, memory=qs.GRU, key=KEY),
    "ridge": qs.RidgeRegression(Flat.of(2, 4)),
    "nearest centroid": qs.NearestCentroid(Flat.of(2, 4), qs.Linear.zeros(4, 3)),
    "cavia": qs.CAVIA(qs.WithContext(Flat.of(4, 3), jnp.zeros(2))),
    "one's own": NeverConditions(),
}


@pytest.mark.parametrize("name", SEES_NOTHING)
def test_support_norms_that_see_no_support_set_are_refused(name):
    """They would normalise queries by one another, and `transductive` is False."""
    learner = SEES_NOTHING[name]
    assert not learner.transductive
    with pytest.raises(qs.BadInput, match=r"'support' .* has not seen .*condition\(x\)"):
        learner.check(eqx.filter_eval_shape(POINTS.sample, KEY))


@pytest.mark.parametrize(
    "learner",
    [
        qs.Relation(mlp(4), Conditioned.of(8, 1)),
        qs.CAVIA(qs.WithContext(Conditioned.of(4, 3), jnp.zeros(2)), inner_lr=0.5),
        qs.BlackBox.create(Conditioned.of(2, 4), 4, outputs=3, memory=qs.GRU, key=KEY),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_support_norms_everywhere_see_the_support_set(learner):
    rest = PROPERTIES.keys() - {"check", "other queries"}
    check_learner(learner, POINTS, except_for=rest)
