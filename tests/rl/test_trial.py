"""A trial: one MDP, several episodes, and nothing that happened is hidden from the policy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.rl.rollout import earned
from quickstudy.training.algorithm import update
from references.always import Always, act
from references.corridor import Corridor

KEY = jax.random.key(0)


def test_the_horizon_ends_an_episode():
    path = act(Always(0), qs.Trial(Corridor(), episodes=2), jnp.array(2), KEY)
    np.testing.assert_array_equal(path.done, [False] * 3 + [True] + [False] * 3 + [True])
    assert path.real.all()


def test_an_episodes_last_reward_is_seen():
    """With the next episode's first observation come the last one's reward and its done flag."""
    path = act(Always(1), qs.Trial(Corridor(), episodes=3), jnp.array(2), KEY)
    seen = path.seen
    np.testing.assert_array_equal(seen.first[:4], [1, 0, 0, 0])
    np.testing.assert_array_equal(seen.reward_tm1[:6], [0, 1, 2, 1, 2, 1])
    np.testing.assert_array_equal(seen.done_tm1[:6], [0, 0, 1, 0, 1, 0])
    np.testing.assert_array_equal(seen.observation[:4, 0], [0, 1, 0, 1])
    np.testing.assert_array_equal(seen.action_tm1[:2], [[0, 0], [0, 1]])
    flat = jax.vmap(lambda s: s.flat())(seen)
    assert flat.shape == (12, qs.Trial(Corridor(), 3).inputs)
    np.testing.assert_array_equal(flat[2], [0, 1, 0, 1, 2, 1, 0])


def test_the_task_stays_and_differs_across_the_batch():
    """All episodes of a trial have one length; trials have others."""
    trial = qs.Trial(Corridor(), episodes=3)

    def one(key):
        task = trial.environment.sample(key)
        return earned(act(Always(1), trial, task, key), 3).lengths

    lengths = np.asarray(jax.vmap(one)(jax.random.split(KEY, 32)))
    assert (lengths == lengths[:, :1]).all()
    assert set(lengths[:, 0]) == {1.0, 2.0, 3.0}


def test_no_episode():
    with pytest.raises(qs.BadInput, match="episodes is 0"):
        qs.Trial(Corridor(), episodes=0)


@pytest.mark.parametrize("family", [qs.Bandit(2), qs.TabularMDP(), qs.Navigation(), qs.Games()])
def test_double_precision(family):
    """Types only: what a trial begins with and what a step makes of it are one, in this precision,
    too; and so a whole step of MAML is."""
    with jax.enable_x64(True):
        policy = qs.Reactive.create(family, (4,), key=KEY)
        adaptation = qs.Adaptation(family, qs.Rates((0.1, 0.2)), qs.LVC(), trajectories=3)
        algorithm = qs.MAMLRL(policy, adaptation, qs.OuterTrustRegion(), steps=2, tasks=2)
        state = algorithm.init()
        after, _ = eqx.filter_eval_shape(update, algorithm, state, KEY, jnp.zeros(()))
        for x, y in zip(*map(jax.tree.leaves, (state, after)), strict=True):
            assert x.dtype == y.dtype == jnp.float64
