"""Acting through trials: what is real, what was earned, and the states of parts."""

import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs
from quickstudy.rl.rollout import earned
from references.always import Always, act
from references.corridor import Corridor

KEY = jax.random.key(0)


def test_early_ends():
    """A corridor of two: episodes of two steps, a trial of three of them, then padding."""
    trial = qs.Trial(Corridor(), episodes=3)
    path = act(Always(1), trial, jnp.array(2), KEY)
    assert trial.steps == 12
    np.testing.assert_array_equal(path.real, [True] * 6 + [False] * 6)
    np.testing.assert_array_equal(path.done[:6], [False, True] * 3)
    np.testing.assert_array_equal(path.reward, [1, 2, 1, 2, 1, 2] + [0] * 6)
    np.testing.assert_array_equal(path.episode[:6], [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(earned(path, 3).returns, [3, 3, 3])
    np.testing.assert_array_equal(earned(path, 3).lengths, [2, 2, 2])


def test_states_of_parts():
    """The actor's state at the start of each part, for truncated backpropagation."""
    path = act(Always(0), qs.Trial(Corridor(), episodes=2), jnp.array(3), KEY, parts=4)
    np.testing.assert_array_equal(path.states, [0, 2, 4, 6])
    np.testing.assert_array_equal(path.notes, range(8))
    assert float(path.last) == 8
