"""What an adapting policy earns on the host, and how often it succeeds."""

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.inner import Rate
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.adapted import update_returns
from quickstudy.rl.estimators import LVC
from quickstudy.rl.host_earnings import update_earnings

pytest.importorskip("gymnasium")
import gymnasium

KEY = jax.random.key(0)
K, TASKS, UPDATES = 4, 3, 1


class Coin(gymnasium.Env):
    """One step, which pays 1 and succeeds, or pays nothing and fails, by chance."""

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        heads = bool(self.np_random.integers(2))
        return np.zeros(1, np.float32), float(heads), True, False, {"success": heads}


def earned(scored):
    host = HostEnvironment(Coin, lambda rng: 0, lambda env, task: None, 2 * K, horizon=1)
    family = HostFamily(host)
    policy = qs.Reactive.create(family, (4,), key=KEY)
    adaptation = Adaptation(family, Rate(0.5), LVC(), trajectories=K)
    found = update_earnings(policy, adaptation, UPDATES, KEY, TASKS, scored)
    return found, update_returns(policy, adaptation, UPDATES, KEY, TASKS)


def test_of_all_trajectories_or_of_the_first_ones():
    (all_of, returns), (first, _) = earned(0), earned(1)
    for found in (all_of, first):
        assert found.returns.shape == (TASKS, UPDATES + 1)
        np.testing.assert_array_equal(found.returns, found.successes)
    np.testing.assert_array_equal(all_of.returns, returns)
    # Whole where one is scored, and of four here and there a half.
    assert set(np.unique(first.returns)) == {0, 1}
    assert ((all_of.returns > 0) & (all_of.returns < 1)).any()
