"""An environment's terms, as a policy's arrays."""

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.interface import Interface


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
    with pytest.raises(qs.BadInput, match="finite"):
        interface.see(np.full(25, np.inf))
