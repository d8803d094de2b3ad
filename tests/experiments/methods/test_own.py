"""A learner of one's own as a method: which network it gets, and what is no method."""

import equinox as eqx
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.experiments.methods.maml import MAMLConfig
from quickstudy.experiments.methods.own import OwnLearnerConfig, method_of
from quickstudy.experiments.settings import Own
from quickstudy.learners.losses import squared_error
from references.small_problems import CURVES, NETWORK


class Nothing(qs.Learner):
    """No network."""

    slope: float = 2.0

    def adapt(self, support, *, key=None):
        return lambda x: self.slope * x


class Model(qs.Learner):
    model: eqx.Module

    def adapt(self, support, *, key=None):
        return self.model


class Features(qs.Learner):
    embed: eqx.Module

    def adapt(self, support, *, key=None):
        return self.embed


class Two(qs.Learner):
    one: eqx.Module
    two: eqx.Module

    def adapt(self, support, *, key=None):
        return self.one


def made(kind):
    own = OwnLearnerConfig(network=NETWORK, own=Own("x.py:X", kind))
    return own.learner(CURVES, 0)


def test_the_first_field_says_which_network_it_gets():
    assert made(Nothing).slope == 2.0
    assert made(Model).model(jnp.ones((4, 1))).shape == (4, 1)
    assert made(Features).embed(jnp.ones((4, 1))).shape == (4, 3)
    assert all(made(kind).loss is squared_error for kind in (Nothing, Model, Features))
    with pytest.raises(qs.BadInput, match=r"x\.py:X needs one, two; give all fields but the netw"):
        made(Two)


def test_the_network_of_a_learner_without_one_is_not_read():
    read = {kind: OwnLearnerConfig(own=Own("x.py:X", kind)).unread() for kind in (Nothing, Model)}
    assert read == {Nothing: {"network"}, Model: set()}


def test_methods_values_and_classes_are_methods():
    value = MAMLConfig(inner_lr=0.3)
    assert method_of(Own("x.py:X", value)) is value
    assert method_of(Own("x.py:X", MAMLConfig)) == MAMLConfig()
    found = method_of(Own("x.py:X", Model))
    assert isinstance(found, OwnLearnerConfig)
    assert found.own.thing is Model


@pytest.mark.parametrize("thing", [3, int, made])
def test_what_is_no_method(thing):
    with pytest.raises(qs.BadInput, match=r"x\.py:X is .*; give a recipe, a method .*Learner"):
        method_of(Own("x.py:X", thing))
