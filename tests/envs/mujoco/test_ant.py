"""The ant: held to a simulator stepped by hand, and to how its tasks are spread."""

import pytest

from references import body_checks
from references.bodies import FAMILIES, needs_mujoco

OWN = [name for name in FAMILIES if name.startswith("ant")]


@needs_mujoco
@pytest.mark.parametrize("name", OWN)
def test_rewards_and_observations_are_those_of_a_simulator_stepped_by_hand(name):
    body_checks.demand_what_is_stepped_by_hand(name)


@pytest.mark.parametrize("name", OWN)
def test_tasks_are_spread_as_defined(name):
    body_checks.demand_spread_tasks(name)


@needs_mujoco
@pytest.mark.parametrize("name", OWN)
def test_starts_are_spread_as_defined(name):
    body_checks.demand_spread_starts(name)
