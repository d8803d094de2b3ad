"""What MAML for RL learns: a pair to JAX and to files, with all of f_adapt beside it."""

import jax
import numpy as np

import quickstudy as qs
from quickstudy.envs.interface import Described, Interface
from quickstudy.rl.adaptable import Adaptable, adapting
from quickstudy.rl.scale import Fixed, Running, Scaled
from quickstudy.testing.comparing import same_bits

FAMILY = qs.Navigation()
KEY = jax.random.key(0)


def learned(scale):
    policy = qs.Reactive.create(FAMILY, (4,), key=KEY)
    adaptation = qs.Adaptation(FAMILY, qs.LearnedRate(0.1), qs.LVC(), 3, scale=scale)
    return policy, adaptation, Adaptable.of(policy, adaptation)


def names(tree):
    return [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]


def test_it_is_a_pair_in_files():
    policy, adaptation, found = learned(Fixed())
    assert names(found) == names((policy, adaptation.rule))
    assert same_bits(tuple(found), (policy, adaptation.rule))
    again = jax.tree.map(lambda x: x, found)
    assert isinstance(again, Adaptable)
    assert jax.tree.structure(again) == jax.tree.structure(learned(Fixed())[2])


def test_it_keeps_how_and_the_scale():
    policy, adaptation, found = learned(Running.of(FAMILY))
    assert isinstance(found.policy, Scaled)
    bare, all_of = found.adapting(FAMILY)
    assert same_bits((bare, all_of), (policy, adaptation))
    assert all_of.environment is FAMILY
    assert found.adapting()[1].environment == Described(Interface.of(FAMILY))
    assert same_bits(adapting(tuple(found), found.how, FAMILY), (policy, adaptation))
    assert found.interface == policy.interface
    assert found.agent().reset(np.zeros(2)).shape == (2,)
