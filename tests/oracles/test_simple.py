"""An actor that does anything."""

import jax
import numpy as np

import quickstudy as qs
from quickstudy.oracles.simple import Random

KEYS = jax.random.split(jax.random.key(0), 400)


def actions(family):
    actor = Random(family)
    task = family.sample(KEYS[0])
    seen = qs.Trial(family, 1).begin(KEYS[0], task)[1]
    state = actor.begin(task)
    assert state is None
    return np.asarray(jax.vmap(lambda key: actor.act(state, seen, key=key)[1])(KEYS))


def test_any_arm_equally_often():
    assert (np.bincount(actions(qs.Bandit(arms=4)), minlength=4) > 70).all()


def test_any_step_within_the_limit():
    walk = qs.Navigation()
    drawn, limit = actions(walk), walk.actions.limit
    assert drawn.shape == (400, 2)
    assert np.abs(drawn).max() <= limit
    np.testing.assert_allclose(drawn.std(0), limit / 3**0.5, rtol=0.1)
