"""Tasks that are set arrive in the environment, and stay what they were."""

import enum
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs.arriving import own_copy, put
from quickstudy.envs.host import HostEnvironment

gymnasium = pytest.importorskip("gymnasium")


def pole():
    return gymnasium.make("CartPole-v1")


def test_an_attribute_that_stays_on_a_wrapper_is_refused():
    env = pole()

    def lost(env, length):
        env.length = length

    with pytest.raises(
        BadInput, match=r"'length' to the wrapper TimeLimit.*env\.unwrapped\.length"
    ):
        put(env, 0.3, lost)
    # Nor does Gymnasium's wrapper read what no environment has.
    with pytest.raises(BadInput, match="'goal' to the wrapper TimeLimit"):
        put(pole(), 0.3, lambda env, goal: setattr(env, "goal", goal))
    host = HostEnvironment(pole, lambda rng: 0.3, lost, copies=2)
    with pytest.raises(
        QuickstudyError, match=r"set_task or reset: copy 0, task 0\.3, seed 4; .*unwrapped"
    ):
        host.begin(4)
    put(pole(), 0.3, lambda env, length: setattr(env.unwrapped, "length", length))


def test_wrappers_of_one_s_own_are_written_to():
    class Aimed(gymnasium.Wrapper):
        aim = 0.0

    class Unaware(gymnasium.Wrapper):
        pass

    env = Unaware(Aimed(pole()))
    put(env, 1.0, lambda env, aim: setattr(env.env, "aim", aim))
    put(env, 1.0, lambda env, aim: setattr(env, "read_by_unaware", aim))
    with pytest.raises(
        BadInput, match=r"'gravity' to the wrapper Unaware.*env\.unwrapped\.gravity"
    ):
        put(env, 1.0, lambda env, gravity: setattr(env, "gravity", gravity))


def test_another_environment_cannot_be_returned():
    env = pole()
    for same in (env, env.env, env.unwrapped, None, True):
        put(env, 0.3, lambda env, task, same=same: same)
    for other in (pole(), gymnasium.Wrapper(env)):
        with pytest.raises(BadInput, match="another environment, which nobody steps"):
            put(env, 0.3, lambda env, task, other=other: other)


class Spot(NamedTuple):
    x: float


def test_what_an_environment_does_to_its_task_does_not_change_it():
    inner, spot = object(), Spot(1.0)
    task = {"goal": np.zeros(2), "way": [1, [2]], "fixed": (np.ones(1), inner, spot)}
    copied = own_copy(task)
    copied["goal"] += 1
    copied["way"][1].append(3)
    copied["fixed"][0][0] = 5
    assert task["goal"].tolist() == [0, 0]
    assert task["way"] == [1, [2]]
    assert task["fixed"][0] == 1
    # What holds nothing is known by what it is.
    assert copied["fixed"][1] is inner
    assert copied["fixed"][2] == spot


class Path(NamedTuple):
    steps: np.ndarray


@dataclass
class Moving:
    goal: np.ndarray


class Place:
    def __init__(self):
        self.goal = np.zeros(1)


class Named(OrderedDict):
    pass


class Side(enum.Enum):
    LEFT = 0


@pytest.mark.parametrize(
    ("task", "goal"),
    [
        (Path(np.zeros(1)), lambda task: task.steps),
        (Moving(np.zeros(1)), lambda task: task.goal),
        (Place(), lambda task: task.goal),
        (Named(goal=np.zeros(1)), lambda task: task["goal"]),
        ({"a": [Moving(np.zeros(1))]}, lambda task: task["a"][0].goal),
        (np.array([np.zeros(1), None], object), lambda task: task[0]),
    ],
)
def test_whatever_holds_what_can_be_changed_is_copied(task, goal):
    copied = own_copy(task)
    assert type(copied) is type(task)
    goal(copied)[0] = 5
    assert goal(task) == 0


def test_what_cannot_be_copied_stays_what_it_is():
    lock = threading.Lock()
    for one in (lock, Side.LEFT, math.sin, math, Moving, "left", 3, np.float64(2)):
        assert own_copy(one) is one
    task = {"lock": lock, "rest": [1]}
    found = own_copy(task)
    assert found["lock"] is lock
    assert found["rest"] is not task["rest"]


def test_a_goal_that_drifts_begins_each_episode_where_it_was():
    class Drifting(gymnasium.Env):
        action_space = gymnasium.spaces.Discrete(2)
        observation_space = gymnasium.spaces.Box(-9.0, 9.0, (1,), np.float32)

        def reset(self, *, seed=None, options=None):
            return self.goal.copy() if seed is None else np.zeros(1), {}

        def step(self, action):
            self.goal += 1
            return self.goal.copy(), 0.0, False, False, {}

    def aim(env, goal):
        env.unwrapped.goal = goal

    host = HostEnvironment(Drifting, lambda rng: np.zeros(1), aim, 1, horizon=2)
    assert host.begin(0).tolist() == [[0]]
    seen = [host.step(np.zeros(1, int)).observation.item() for _ in range(4)]
    assert seen == [1, 0, 1, 0]


def test_what_stays_on_a_vector_is_refused():
    """On the vector itself, on a wrapper of it, and on wrappers of the environments in it."""
    from gymnasium.vector import SyncVectorEnv
    from gymnasium.wrappers.vector import RecordEpisodeStatistics

    def poles():
        return SyncVectorEnv([pole, pole])

    def lost(vector, lengths):
        vector.length = lengths

    with pytest.raises(BadInput, match=r"the vector SyncVectorEnv.*unwrapped\.set_attr\('length'"):
        put(poles(), [0.3, 0.4], lost)
    with pytest.raises(BadInput, match="the vector RecordEpisodeStatistics"):
        put(RecordEpisodeStatistics(poles()), [0.3, 0.4], lost)
    with pytest.raises(BadInput, match=r"wrapper TimeLimit.*env\.unwrapped\.length"):
        put(poles(), [0.3, 0.4], lambda vector, lengths: lost(vector.envs[1], lengths[1]))
    vector = poles()
    put(vector, [0.3, 0.4], lambda vector, lengths: vector.set_attr("length", lengths))
    assert [one.unwrapped.length for one in vector.envs] == [0.3, 0.4]


def test_a_vector_of_one_s_own_is_written_to():
    class Mine(gymnasium.vector.VectorEnv):
        num_envs = 2

    vector = Mine()
    put(vector, [1.0, 2.0], lambda vector, goals: setattr(vector, "goals", goals))
    assert vector.goals == [1.0, 2.0]
