"""How tasks and starts of MuJoCo families are distributed, against their definitions."""

import numpy as np
import pytest

from references.bodies import FAMILIES, needs_mujoco


def unevenness(x, low, high):
    """The largest distance of the distribution of x from U[low, high]'s (Kolmogorov), in units of
    what one of a thousand fair samples exceeds."""
    found = (np.sort(x) - low) / (high - low)
    wanted = (np.arange(len(x)) + 0.5) / len(x)
    return np.abs(found - wanted).max() / (1.95 / len(x) ** 0.5)


@pytest.mark.parametrize("name", FAMILIES)
def test_tasks_are_spread_as_defined(name):
    """Goals evenly over a disc's area, whose radii are not even: r² is; directions over angles."""
    rng = np.random.default_rng(0)
    tasks = np.array([FAMILIES[name].sample_task(rng) for _ in range(4000)])
    for x, low, high in evenly(name, tasks):
        assert unevenness(x, low, high) < 1


def evenly(name, tasks):
    """What of those tasks is uniform, and between what."""
    kind, aim, version = name.split()
    if aim == "velocity":
        return [(tasks, 0.0, 2.0 if version == "maml" else 3.0)]
    if aim == "direction" and (kind, version) != ("ant", "pearl"):
        ways = tasks if kind == "cheetah" else tasks[:, 0]
        assert {*ways} == {-1.0, 1.0}
        assert abs(ways.mean()) < 3.3 / len(ways) ** 0.5
        assert kind == "cheetah" or not tasks[:, 1].any()
        return []
    if version == "maml":
        return [(x, -3.0, 3.0) for x in tasks.T]
    squares = np.sum(tasks**2, -1)
    angles = (np.arctan2(tasks[:, 1], tasks[:, 0]), -np.pi, np.pi)
    if aim == "goal":
        return [(squares, 0.0, 9.0), angles]
    np.testing.assert_allclose(squares, 1.0)
    return [angles]


@needs_mujoco
@pytest.mark.parametrize("name", FAMILIES)
def test_starts_are_spread_as_defined(name):
    env, version = FAMILIES[name].make(), name.split()[2]
    env.reset(seed=0)
    starts = np.array([(env.reset(), env.body.data.qpos.copy())[1] for _ in range(300)])
    speeds = np.array([(env.reset(), env.body.data.qvel.copy())[1] for _ in range(300)])
    expected, apart = {"maml": 0.01}.get(version, 0.1 / np.sqrt(3)), starts - starts.mean(0)
    assert apart.std() == pytest.approx(expected, rel=0.06)
    assert speeds.std() == pytest.approx(0.1, rel=0.06)
    assert version == "maml" or np.abs(apart).max() <= 0.12
