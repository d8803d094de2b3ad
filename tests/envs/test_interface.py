"""An environment's terms, as a policy's arrays."""

import json

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.interface import Described, Interface
from quickstudy.envs.space_json import space_text
from quickstudy.envs.spaces import Spaces
from references.several_spaces import spaces


def test_actions_are_the_environment_s():
    found = Interface(qs.Discrete(3), (2,), 5).act(np.int32(2))
    assert (found, type(found)) == (2, int)
    found = Interface(qs.Continuous(2, 0.5), (2,), 5).act(np.array([0.7, -0.25], np.float32))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [0.5, -0.25])


def test_observations_are_checked():
    interface = Interface.of(qs.GridNavi())
    assert interface.see(np.zeros(25, np.float64)).dtype == np.float32
    with pytest.raises(qs.BadInput, match=r"shape \(5, 5\); the policy was made for \(25,\)"):
        interface.see(np.zeros((5, 5)))
    with pytest.raises(qs.BadInput, match="or not-a-number"):
        interface.see(np.full(25, np.inf))

    for odd in ({"a": 1}, "abc", [[1], [2, 3]], [1j], [object()], b"x"):
        with pytest.raises(qs.BadInput, match=r"the observation is .*(numbers|no array)"):
            interface.see(odd)


@pytest.mark.parametrize(
    ("actions", "good", "bad"),
    [
        (qs.Discrete(3), [0, np.int64(2)], [3, -1, [0], "1"]),
        (qs.Continuous(1, 0.1), [[0.1], [np.float32(-0.1)]], [[0.2], [-50], ["x"], [np.inf], 0.1]),
        (qs.MultiDiscrete((2, 3)), [[1, 2], [0.0, 0.0]], [[2, 0], [0, -1], [0.5, 0], [0, 1, 0]]),
    ],
    ids=["Discrete", "Continuous", "MultiDiscrete"],
)
def test_actions_of_a_compiled_family_are_within_what_it_takes(actions, good, bad):
    interface = Interface(actions, (1,), 5)
    for action in good:
        assert interface.taken(action).shape == actions.shape
    for action in bad:
        with pytest.raises(qs.BadInput, match="the action"):
            interface.taken(action)


@pytest.mark.parametrize("which", range(5))
def test_what_is_done_is_what_was_meant(which):
    """There and back, in each space's own terms; and from a file's JSON."""
    seen, acted = spaces()
    space, shown = acted[which], seen[which % 3]
    native = Spaces(shown, space)
    text = space_text(shown, space)
    interface = Interface(native.actions, native.observation_shape, 5, text)
    assert Interface.from_json(json.loads(json.dumps(interface.to_json()))) == interface
    space.seed(0), shown.seed(0)
    for _ in range(5):
        action = space.sample()
        meant = interface.taken(action)
        again = interface.act(meant)
        assert space.contains(again)
        np.testing.assert_allclose(again, action, rtol=1e-5, atol=1e-5)
        observation = shown.sample()
        np.testing.assert_array_equal(interface.see(observation), native.observed(observation))
    family = Described(interface)
    assert (family.actions, family.pictures) == (native.actions, native.pictures)
