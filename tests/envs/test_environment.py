"""Actions as numbers, families by name, and what cannot be compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.environment import Continuous, Discrete, MDPFamily, compiled


def test_discrete_actions_are_unit_vectors():
    actions = Discrete(3)
    assert actions.size == 3
    assert actions.encode(jnp.array(1)).tolist() == [0, 1, 0]
    drawn = jax.vmap(actions.draw)(jax.random.split(jax.random.key(0), 300))
    assert (np.bincount(drawn, minlength=3) > 60).all()
    assert len(np.bincount(drawn)) == 3


def test_several_choices_are_unit_vectors_in_a_row():
    actions = qs.MultiDiscrete((2, 3))
    assert (actions.size, actions.shape) == (5, (2,))
    assert actions.encode(jnp.array([1, 2])).tolist() == [0, 1, 0, 0, 1]
    drawn = jax.vmap(actions.draw)(jax.random.split(jax.random.key(0), 300))
    assert (np.bincount(drawn[:, 0] * 3 + drawn[:, 1], minlength=6) > 30).all()


def test_continuous_actions_are_told_as_they_are_done():
    """What lies beyond the limit is clipped by the environment, and so it is told."""
    actions = Continuous(2, 0.5)
    assert actions.encode(jnp.array([0.25, -3.0])).tolist() == [0.25, -0.5]
    drawn = jax.vmap(actions.draw)(jax.random.split(jax.random.key(0), 300))
    assert drawn.shape == (300, 2)
    assert 0.45 < float(jnp.abs(drawn).max()) <= 0.5
    assert abs(float(drawn.mean())) < 0.05


class Elsewhere(MDPFamily):
    """A family that is stepped somewhere else."""

    version = 3
    horizon: int = 7

    @property
    def actions(self):
        return Discrete(2)

    @property
    def observation_shape(self):
        return (0,)


def test_a_family_is_known_by_its_name_and_version():
    assert Elsewhere().definition == "Elsewhere-v3"
    assert qs.Bandit().definition == f"Bandit-v{qs.Bandit.version}"


def test_what_is_stepped_on_the_host_is_not_compiled():
    bandit = qs.Bandit()
    assert compiled(bandit) is bandit
    with pytest.raises(qs.BadInput, match=r"a Elsewhere is stepped on the host.*host_rollouts"):
        compiled(Elsewhere())
