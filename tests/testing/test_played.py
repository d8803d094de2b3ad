"""Families that are played by random actions: what is kept of it."""

import numpy as np
import pytest

pytest.importorskip("gymnasium")
import gymnasium

from quickstudy import BadInput
from quickstudy.testing.paths import apart
from quickstudy.testing.played import PlayedFamily
from references import broken_levers, poles


def family(kind, horizon=None):
    one = kind()
    return PlayedFamily((one.make, one.sample_task, one.set_task), horizon or one.horizon, seed=0)


def test_the_same_actions_are_taken_in_every_episode_and_copy():
    played = family(broken_levers.Lever)
    played.open(copies=2)
    one, other = played.play([0.0, 0.5], most=3, variant=1)
    assert np.flatnonzero(one.done).tolist() == [2, 5]
    np.testing.assert_array_equal(one.last[:3], one.last[3:])
    np.testing.assert_array_equal(one.last, other.last)
    np.testing.assert_allclose(one.reward, -np.abs(one.last[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(other.reward, -np.abs(one.last[:, 0] - 0.5), rtol=1e-6)
    alone = played.play([0.0, 0.5], most=3, variant=2)[0]
    assert (alone.last != one.last).all()
    played.close()
    (fresh,) = played.play([0.0], most=3, variant=1)
    assert apart(fresh, one, exactly=True) == ""


def test_episodes_are_cut_where_they_end():
    played = PlayedFamily((poles.make, poles.sample_task, poles.set_task), 100, 0)
    (path,) = played.play([0.5], most=50)
    first, second = path.episode(0), path.episode(1)
    assert first.done.tolist() == [False] * (len(first.done) - 1) + [True]
    assert len(second.done) > 5
    np.testing.assert_array_equal(path.last[: len(first.done)], first.last)
    assert len(path.episode(99).done) == 0
    played.abandon()


def test_bounds_are_those_of_the_space():
    far = family(broken_levers.FarOutside)
    (found,) = far.play([0.0], most=2)
    with pytest.raises(BadInput, match="the number 250"):
        far.demand_bounds(found)
    far.host.spaces.observation = gymnasium.spaces.Box(0, 100, (1,), np.int64)
    with pytest.raises(BadInput, match="far outside 0 to 100"):
        far.demand_bounds(found)
    far.host.spaces.observation = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)
    far.demand_bounds(found)
