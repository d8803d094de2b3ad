"""Greedy acting draws nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.rl.trial import Seen

KEY = jax.random.key(0)


@pytest.mark.parametrize("family", [qs.Navigation(), qs.GridNavi()])
def test_it_is_the_mode_whatever_the_key(family):
    trial = qs.Trial(family, 2)
    memory = qs.GRU.create(trial.inputs, 4, key=KEY)
    see = jnp.linspace(0, 1, family.observation_shape[0])
    zero, nothing = jnp.zeros(()), jnp.zeros(family.actions.size)
    seen = Seen(see, nothing, zero, zero, jnp.ones(()))
    reactive = qs.Reactive.create(family, (4,), key=KEY)
    for policy in (qs.MetaPolicy.create(trial, memory), reactive):
        greedy, state = qs.Greedy(policy), policy.begin()
        likeliest = policy.consider(state, seen)[1].mode()
        for key in jax.random.split(KEY, 3):
            np.testing.assert_array_equal(greedy.act(state, seen, key=key)[1], likeliest)
