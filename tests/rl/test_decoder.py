"""Decoders: each step is predicted from m and from that step alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.rl.decoder import Pairwise, RewardDecoder, StateDecoder, transitions
from quickstudy.rl.rollout import rollout
from references.corridor import Corridor

KEY = jax.random.key(0)
TRIAL = qs.Trial(Corridor(), episodes=3)
M = jax.random.normal(KEY, (2, 5))
DECODERS = [kind.create(TRIAL, 5, 8, key=KEY) for kind in (RewardDecoder, StateDecoder)]


@pytest.fixture(scope="module")
def path():
    """Three episodes of a corridor of two steps: always one to the right."""

    class Right(qs.Random):
        def act(self, state, seen, *, key):
            return state, jnp.array(1), ()

    run = eqx.filter_jit(lambda task: rollout(Right(TRIAL.environment), TRIAL, task, KEY))
    return run(jnp.array(2))


def test_pairs_are_products_of_both():
    network = Pairwise.create((5, 3), 8, 2, key=KEY)
    x = jax.random.normal(KEY, (4, 3))
    found = network(M, x)
    assert found.shape == (2, 4, 2)
    for j, i in ((0, 0), (1, 2)):
        product = network.of_task(M[j : j + 1]) * network.of_step(x[i : i + 1])
        np.testing.assert_allclose(found[j, i], network.last(product)[0], rtol=1e-5, atol=1e-6)


def test_what_follows_an_episode_is_not_of_it(path):
    """The state after its last step was not seen: the next observation is the next episode's."""
    steps = transitions(path, TRIAL)
    assert steps.real.tolist() == [True] * 6 + [False] * 6
    assert steps.done[:6].tolist() == [0, 1, 0, 1, 0, 1]
    assert steps.observation[:4, 0].tolist() == [0, 1, 0, 1]
    assert steps.after[:4].tolist() == [[1, 1], [0, 0], [1, 1], [0, 0]]
    assert steps.reward[:4].tolist() == [1, 2, 1, 2]
    assert steps.action[:6].tolist() == [[0, 1]] * 6


def test_targets_by_hand(path):
    rewards, states = DECODERS
    steps = transitions(path, TRIAL)
    assert rewards.targets(steps)[:2, 0].tolist() == [1, 2]
    assert rewards.counts(steps).sum() == 6
    assert states.targets(steps)[0].tolist() == [1, 0]
    assert states.counts(steps).tolist() == [True, False] * 3 + [False] * 6
    for decoder in DECODERS:
        predicted = decoder.network(M, decoder.reads(steps))
        wanted = jnp.square(predicted - decoder.targets(steps)[None])
        np.testing.assert_allclose(decoder.errors(M, steps), wanted, rtol=1e-5)


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda one: one.predicts)
def test_nothing_but_m_and_the_step_itself_is_seen(decoder, path):
    """Another step, and what is to be predicted, change no prediction of this one; m, o and a do.
    What follows is seen where rewards are predicted."""
    steps = transitions(path, TRIAL)

    def seen(steps, m=M):
        return np.asarray(decoder.network(m, decoder.reads(steps)))

    here, at = seen(steps), 2
    moved = jax.tree.map(lambda x: x.at[at + 1 :].set(x[0]), steps)
    np.testing.assert_array_equal(seen(moved)[:, : at + 1], here[:, : at + 1])
    np.testing.assert_array_equal(seen(steps._replace(reward=steps.reward + 1)), here)
    for name in ("observation", "action", "after"):
        other = steps._replace(**{name: getattr(steps, name) + 1})
        changed = bool(np.abs(seen(other) - here).max() > 1e-3)
        assert changed == (name != "after" or decoder.predicts == "reward")
    assert np.abs(seen(steps, M + 1) - here).max() > 1e-3
