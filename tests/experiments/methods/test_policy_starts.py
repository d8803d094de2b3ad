"""First weights and offsets of policies as settings: each builds what it names."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.experiments.methods.policy_starts import (
    AllOffsetConfig,
    GlorotConfig,
    HeConfig,
    NoOffsetConfig,
    SpreadOffsetConfig,
)
from quickstudy.rl.first_weights import Glorot, He
from references.recipes import typed

POLICY = qs.Reactive.create(qs.Navigation(), (3, 3), key=jax.random.key(0))


def moved(offset):
    """What the first step adds, and the second."""
    theta = eqx.filter(POLICY, eqx.is_inexact_array)
    zeros = jax.tree.map(jnp.zeros_like, theta)
    rule, now = offset.build(POLICY, qs.Rate(0.5)), theta
    for step in range(2):
        before, now = now, rule.move(now, zeros, None, step)[0]
        yield jax.tree.map(jnp.subtract, now, before)


@pytest.mark.parametrize("offset", [SpreadOffsetConfig(-1.5), AllOffsetConfig(-1.5)])
def test_an_offset_begins_with_that_of_the_deviation(offset):
    first, second = moved(offset)
    assert first.log_std.tolist() == [-1.5, -1.5]
    assert not any(x.any() for x in jax.tree.leaves((first.body, first.head, second)))


def test_an_offset_is_learned_where_it_is():
    counts = [
        len(jax.tree.leaves(kind().build(POLICY, qs.Rate(0.5))))
        for kind in (NoOffsetConfig, SpreadOffsetConfig, AllOffsetConfig)
    ]
    assert counts == [0, 1, len(jax.tree.leaves(POLICY))]


def test_discrete_actions_have_no_deviation_to_add_to():
    policy = qs.Reactive.create(qs.Bandit(arms=2), (3,), key=jax.random.key(0))
    for offset in (SpreadOffsetConfig(), AllOffsetConfig()):
        with pytest.raises(qs.BadInput, match=f"--offset {offset.name} .* --offset none"):
            offset.build(policy, qs.Rate(0.5))


def test_first_weights_are_those_named():
    assert (GlorotConfig().build(), HeConfig().build()) == (Glorot(), He())
    for name, zeros in (("he", True), ("glorot", False)):
        policy = typed("maml-bandit", f"--weights {name}").learner()[0]
        assert bool(policy.head.weight.any()) != zeros
