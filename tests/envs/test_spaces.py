"""Gymnasium's spaces as arrays, by Gymnasium's own rules, and the wrappers that messages name."""

import pickle
import re

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.door import demand_shape
from quickstudy.envs.environment import Picture
from quickstudy.envs.spaces import Spaces

pytest.importorskip("gymnasium")
import gymnasium
from gymnasium.spaces import (
    Box,
    Dict,
    Discrete,
    Graph,
    MultiBinary,
    MultiDiscrete,
    OneOf,
    Sequence,
    Text,
    Tuple,
    flatten,
    flatten_space,
)

SEEN = Box(-1.0, 1.0, (2,))
NESTED = Dict(
    {
        "z": Discrete(3, start=-1),
        "a": Tuple((Box(-np.inf, np.inf, (2, 2)), MultiBinary([2, 2]))),
        "m": MultiDiscrete([[2, 3], [1, 2]], start=[[5, 0], [0, 1]]),
    }
)


class Echo(gymnasium.Env):
    """Shows samples of its observation space, and keeps what was done last."""

    def __init__(self, observation=SEEN, action=None):
        self.observation_space, self.action_space = observation, action or Discrete(2)
        self.done = None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.done = action
        return self.observation_space.sample(), 0.0, False, False, {}


def host(env):
    return qs.HostEnvironment(lambda: env, lambda rng: None, lambda env, task: None)


@pytest.mark.parametrize(
    "space",
    [Discrete(4), Discrete(4, start=3), MultiBinary([2, 3]), NESTED, Tuple((SEEN, Discrete(2)))],
    ids=str,
)
def test_observations_are_flattened_as_gymnasium_has_it(space):
    spaces = Spaces(space, Discrete(2))
    assert spaces.observation_shape == flatten_space(space).shape
    space.seed(0)
    for _ in range(20):
        value = space.sample()
        found = spaces.observed(value)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, flatten(space, value))


def test_they_can_be_sent_to_other_processes():
    space = Dict({"seen": Box(0, 255, (8, 8), np.uint8), "nested": NESTED})
    spaces = Spaces(space, Box(0.0, 2.0, (2,)))
    again, value = pickle.loads(pickle.dumps(spaces)), space.sample()
    np.testing.assert_array_equal(again.observed(value), spaces.observed(value))
    assert again.native(np.zeros((1, 2))).tolist() == [[1, 1]]


def test_boxes_keep_their_shape_and_are_copied():
    spaces, value = Spaces(Box(-1.0, 1.0, (2, 3), np.float64), Discrete(2)), np.ones((2, 3))
    found = spaces.observed(value)
    value[:] = 0
    assert (found.shape, found.dtype) == ((2, 3), np.float32)
    assert found.all()
    assert spaces.pictures == ()
    # As it was before pictures were read: the bytes of a memory are no picture.
    assert Spaces(Box(0, 255, (128,), np.uint8), Discrete(2)).pictures == ()


def test_discrete_actions_start_where_the_space_does():
    spaces = Spaces(SEEN, Discrete(3, start=-1))
    assert spaces.actions == qs.Discrete(3)
    assert spaces.native(np.array([0, 2])) == [-1, 1]


LOW, HIGH = np.array([[0.0, -2.0], [5.0, -1.0]]), np.array([[1.0, 6.0], [5.5, 1.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_boxes_are_scaled_as_rescale_action_has_it(dtype):
    """Bounds that differ, of any shape; what lies beyond is clipped."""
    box = Box(LOW.astype(dtype), HIGH.astype(dtype), dtype=dtype)
    spaces, env = Spaces(SEEN, box), Echo(action=box)
    assert spaces.actions == qs.Continuous(4, 1.0)
    ones = np.ones((2, 2), dtype)
    rescaled = gymnasium.wrappers.RescaleAction(env, -ones, ones)
    for action in np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32):
        (found,) = spaces.native(action[None])
        np.testing.assert_allclose(found, rescaled.func(action.reshape(2, 2)), rtol=1e-5, atol=1e-6)
        assert box.contains(found)
    (low,), (high,) = (spaces.native(np.full((1, 4), x)) for x in (-9.0, 9.0))
    np.testing.assert_array_equal(low, box.low)
    np.testing.assert_array_equal(high, box.high)


def test_boxes_within_one_limit_are_left_as_they_are():
    spaces = Spaces(SEEN, Box(-0.1, 0.1, (2,)))
    assert spaces.actions == qs.Continuous(2, pytest.approx(0.1))
    (found,) = spaces.native(np.array([[0.05, -7.0]], np.float32))
    np.testing.assert_array_equal(found, np.array([0.05, -0.1], np.float32))


def test_boxes_of_integers_round():
    spaces = Spaces(SEEN, Box(0, 4, (3,), np.int32))
    (found,) = spaces.native(np.array([[-1.0, 0.24, 0.26]]))
    assert (found.tolist(), found.dtype) == ([0, 2, 3], np.int32)
    (found,) = Spaces(SEEN, Box(-3, 3, (2,), np.int64)).native(np.array([[1.6, -0.4]]))
    assert found.tolist() == [2, 0]
    (found,) = Spaces(SEEN, Box(0, 1, (3,), bool)).native(np.array([[-0.3, 0.3, 0.7]]))
    assert (found.tolist(), found.dtype) == ([False, True, True], bool)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(1, 255, np.uint8), (1, 65535, np.uint16), (0, np.iinfo(np.int64).max, np.int64)],
)
def test_the_whole_range_of_whole_numbers_is_kept(low, high, dtype):
    """Neither wraps −1 to 255, nor overflows beyond the largest."""
    box = Box(low, high, (2,), dtype)
    spaces = Spaces(SEEN, box)
    assert spaces.actions == qs.Continuous(2, 1.0)
    for actions in ([[-3.0, 0.2]], [[1.0, -1.0]], [[9.0, 0.0]]):
        (found,) = spaces.native(np.array(actions, np.float32))
        assert box.contains(found), found


@pytest.mark.parametrize(
    ("space", "good", "bad"),
    [
        (Discrete(3, start=-7), (-7, -5, np.int64(-6)), (0, 99, -6.5, np.nan, None)),
        (MultiDiscrete([2, 3]), ([1, 2],), ([2, 0], [0], [0, 0.5])),
        (Box(-1.0, 1.0, (2,)), ([1.0, -1.0],), ([np.nan, 0], [np.inf, 0], [1000, 0], [0], "ab")),
        (Box(0.0, 10.0, (2, 1)), ([[0.0], [10.0]],), ([[11.0], [0.0]], [[-1.0], [0.0]])),
    ],
    ids=str,
)
def test_actions_that_are_not_in_the_space_are_refused(space, good, bad):
    spaces = Spaces(SEEN, space)
    for action in good:
        (again,) = spaces.native(spaces.taken(action)[None])
        np.testing.assert_allclose(again, action, atol=1e-6)
    for action in bad:
        with pytest.raises(qs.BadInput, match="not in the space"):
            spaces.taken(action)


def test_a_box_of_one_number():
    (found,) = Spaces(SEEN, Box(0.0, 10.0, ())).native(np.array([[0.5]]))
    assert (found.shape, float(found)) == ((), 7.5)


def test_several_choices():
    spaces = Spaces(SEEN, MultiDiscrete([[2, 3], [4, 5]], start=[[0, 1], [0, -2]]))
    assert spaces.actions == qs.MultiDiscrete((2, 3, 4, 5))
    (found,) = spaces.native(np.array([[1, 2, 3, 4]]))
    assert found.tolist() == [[1, 3], [3, 2]]
    assert spaces.action.contains(found)
    spaces = Spaces(SEEN, MultiBinary([2, 2]))
    assert spaces.actions == qs.MultiDiscrete((2, 2, 2, 2))
    (found,) = spaces.native(np.array([[1, 0, 0, 1]]))
    assert spaces.action.contains(found)
    assert found.tolist() == [[1, 0], [0, 1]]


def test_pictures_stand_in_a_vector_where_gymnasium_puts_them():
    space = Dict({"b": Box(0, 255, (8, 9, 3), np.uint8), "a": Discrete(2), "c": SEEN})
    spaces = Spaces(space, Discrete(2))
    assert spaces.pictures == (Picture(2, (8, 9, 3)),)
    value = space.sample()
    found, plain = spaces.observed(value), flatten(space, value)
    np.testing.assert_array_equal(found[:2], plain[:2])
    np.testing.assert_allclose(found[2:218], plain[2:218] / 255, rtol=1e-6)
    np.testing.assert_array_equal(found[218:], plain[218:])


@pytest.mark.parametrize(
    ("space", "fixed"),
    [
        (Text(5), lambda text: [len(text)]),
        (Sequence(SEEN), lambda many: [len(many)]),
        (Graph(SEEN, None), lambda graph: [len(graph.nodes)]),
        (OneOf((SEEN, Discrete(2))), lambda one: [one[0]]),
    ],
    ids=["text", "sequence", "graph", "one of"],
)
def test_what_has_no_fixed_shape_is_refused_and_the_wrapper_helps(space, fixed):
    with pytest.raises(qs.BadInput, match=r"observations\['deep'\]\[1\].*TransformObservation"):
        Spaces(Dict({"deep": Tuple((SEEN, space))}), Discrete(2))
    with pytest.raises(qs.BadInput, match=type(space).__name__):
        host(Echo(space)).begin(seed=0)
    box = Box(0.0, np.inf, (1,))
    wrapped = gymnasium.wrappers.TransformObservation(
        Echo(space), lambda seen: np.array(fixed(seen), np.float32), box
    )
    assert host(wrapped).begin(seed=0).shape == (1, 1)


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0.0, np.inf), (-np.inf, 1.0)])
def test_unbounded_actions_are_refused_and_the_wrapper_helps(bounds):
    env = Echo(action=Box(*bounds, (2,)))
    with pytest.raises(qs.BadInput, match=r"TransformAction\(env, lambda action: .*") as said:
        host(env).begin(seed=0)
    low, high = map(
        float, re.search(r"spaces\.Box\((.*), (.*), \(2,\)\)", str(said.value)).groups()
    )
    assert bounds[0] <= low < high <= bounds[1], "within the environment's own"
    wrapped = gymnasium.wrappers.TransformAction(
        env, lambda action: action, gymnasium.spaces.Box(-1.0, 1.0, (2,))
    )
    hosts = host(wrapped)
    hosts.begin(seed=0)
    env.action_space = Box(-np.inf, np.inf, (2,))
    hosts.step(np.array([[0.5, 7.0]]))
    assert env.done.tolist() == [0.5, 1.0]


def test_other_actions_are_refused_and_the_wrapper_helps():
    env = Echo(action=Dict({"gear": Discrete(3), "on": Discrete(2)}))
    with pytest.raises(qs.BadInput, match=r"Dict.*TransformAction\(env, f, space\)"):
        host(env).begin(seed=0)
    hosts = host(
        gymnasium.wrappers.TransformAction(
            env, lambda action: {"gear": action[0], "on": action[1]}, MultiDiscrete([3, 2])
        )
    )
    hosts.begin(seed=0)
    hosts.step(np.array([[2, 1]]))
    assert env.done == {"gear": 2, "on": 1}


@pytest.mark.parametrize(
    ("space", "seen", "read"),
    [
        (Discrete(3), 2.0, [0, 0, 1]),
        (Discrete(3, start=-1), np.float32(0), [0, 1, 0]),
        (Discrete(2), np.array(True), [0, 1]),
        (MultiDiscrete([2, 3]), [1.0, 2.0], [0, 1, 0, 0, 1]),
        (Dict({"a": Tuple((Discrete(2),))}), {"a": (np.array(1.0),)}, [0, 1]),
    ],
    ids=str,
)
def test_a_choice_may_be_a_whole_number_of_float_type(space, seen, read):
    demand_shape(seen, space)
    assert Spaces(space, Discrete(2)).observed(seen).tolist() == read


def test_an_action_of_float_type_is_a_choice():
    assert Spaces(SEEN, Discrete(3)).taken(2.0).dtype.kind == "i"


@pytest.mark.parametrize("space", [Dict(), Tuple(()), Box(-1.0, 1.0, (0,))], ids=str)
def test_there_may_be_nothing_to_see(space):
    assert host(Echo(space)).begin(seed=0).shape == (1, 0)


@pytest.mark.parametrize(
    "space",
    [
        Box(-1.0, 1.0, (0,)),
        Box(-1.0, 1.0, (2, 0)),
        MultiDiscrete([]),
        Discrete(2**40),
        MultiDiscrete([2, 2**40]),
    ],
    ids=str,
)
def test_actions_that_no_policy_draws_are_refused(space):
    with pytest.raises(qs.BadInput, match=r"of \d+ choices or numbers; give 1 to 1048576"):
        Spaces(SEEN, space)


@pytest.mark.parametrize("space", [Discrete(2**40), MultiDiscrete([2**40, 2])], ids=str)
def test_more_choices_than_a_network_reads_are_refused(space):
    with pytest.raises(qs.BadInput, match="which a network cannot read"):
        Spaces(space, Discrete(2))


def test_bounds_are_those_that_policies_can_count_in():
    with pytest.raises(qs.BadInput, match=r"without bounds in float32.*Box\(-1\.0, 1\.0, \(2,\)\)"):
        Spaces(SEEN, Box(-1e300, 1e300, (2,), np.float64))
    spaces = Spaces(SEEN, Box(-3e38, 3e38, (2,)))
    assert np.isfinite(spaces.actions.draw(jax.random.key(0))).all()
    (found,) = spaces.native(np.array([[-1.0, 1.0]]))
    np.testing.assert_allclose(found, [-3e38, 3e38])
