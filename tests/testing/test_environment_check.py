"""The check of compiled environments: a right one passes; each property has one that breaks it."""

import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.testing import ENVIRONMENT_PROPERTIES, ConformanceError, check_environment


class Lever(qs.Environment):
    """Which of two levers pays?"""

    horizon: int = 2
    actions = qs.Discrete(2)
    observation_shape = (1,)

    def sample(self, key):
        return jax.random.bernoulli(key)

    def reset(self, key, task):
        return 0, jnp.ones(1)

    def step(self, key, state, action, task):
        return qs.Step(state, jnp.ones(1), action == task, False)


class Wide(Lever):
    def reset(self, key, task):
        return 0, jnp.ones(2)


class Unpaid(Lever):
    def step(self, key, state, action, task):
        return super().step(key, state, action, task)._replace(reward=jnp.log(-1.0 - action))


class Blind(Lever):
    def step(self, key, state, action, task):
        return super().step(key, state, action, 0)


class OneTask(Lever):
    def sample(self, key):
        return jnp.array(1)


WRONG = {
    Wide: ("returned", r"the observation of reset has the shape \(2,\)"),
    Unpaid: ("finite", "128 of 128 numbers of the rewards are not"),
    Blind: ("tasks", "16 tasks gave the same"),
    OneTask: ("tasks", "sample draws one task alone"),
}


def test_what_is_right_passes():
    check_environment(Lever())


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_what_is_wrong_is_named(kind):
    broken, said = WRONG[kind]
    with pytest.raises(
        ConformanceError, match=f"{kind.__name__} breaks the property '{broken}'.*{said}"
    ):
        check_environment(kind())
    if broken == "tasks":
        check_environment(kind(), except_for=("tasks",))


def test_every_property_is_broken_by_some():
    assert {broken for broken, _ in WRONG.values()} == set(ENVIRONMENT_PROPERTIES)
