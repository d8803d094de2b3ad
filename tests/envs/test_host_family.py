"""A host's environments as a family of MDPs."""

import pytest

import quickstudy as qs
from quickstudy.envs.environment import Discrete
from quickstudy.envs.host_family import HostFamily, host_of

pytest.importorskip("gymnasium")
from references import poles


def host(horizon):
    return qs.HostEnvironment(poles.make, poles.sample_task, poles.set_task, horizon=horizon)


def test_it_is_what_its_host_is():
    own = host(20)
    family = HostFamily(own)
    assert family.horizon == 20
    assert family.actions == own.spaces.actions == Discrete(2)
    assert family.observation_shape == own.spaces.observation_shape == (4,)
    assert host_of(family) is own
    assert host_of(qs.Bandit()) is None


def test_trials_need_a_horizon():
    with pytest.raises(qs.BadInput, match="how long episodes can be; give HostEnvironment a hor"):
        HostFamily(host(None))
