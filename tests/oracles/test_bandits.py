"""What every strategy for bandits does, what each of them chooses, and how they rank."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.envs.bandit import Arms, Bandit
from quickstudy.errors import BadInput
from quickstudy.oracles.bandits import (
    UCB1,
    EpsilonGreedy,
    Greedy,
    OptimisticThompson,
    RandomArm,
    Thompson,
    best_arm,
    play_bandits,
)
from quickstudy.oracles.bayes import BayesOptimal
from quickstudy.oracles.gittins import Gittins
from quickstudy.oracles.instances import draw_tasks

ARMS, PULLS, INSTANCES = 4, 8, 500
STRATEGIES = [
    RandomArm(), Greedy(), EpsilonGreedy(), UCB1(), Thompson(), OptimisticThompson(),
    Gittins.of(PULLS), BayesOptimal.of(ARMS, PULLS),
]  # fmt: skip
NAMES = [type(strategy).__name__ for strategy in STRATEGIES]


def tasks():
    return draw_tasks(Bandit(arms=ARMS), INSTANCES, key=jax.random.key(0))


@pytest.fixture(scope="module")
def played():
    """Every strategy's play of the same bandits, with the same luck."""
    return {
        name: play_bandits(strategy, tasks(), PULLS, key=jax.random.key(1))
        for name, strategy in zip(NAMES, STRATEGIES, strict=True)
    }


@pytest.mark.parametrize("name", NAMES)
def test_pulls_arms_that_pay_as_they_should(played, name):
    arms, rewards = np.asarray(played[name].arms), np.asarray(played[name].rewards)
    assert arms.shape == rewards.shape == (INSTANCES, PULLS)
    assert arms.min() >= 0 <= ARMS - 1 == arms.max()
    assert set(np.unique(rewards)) == {0, 1}
    p = np.take_along_axis(np.asarray(tasks().p), arms, 1)
    surprise = (rewards - p) / np.sqrt(np.mean(p * (1 - p)))
    assert abs(surprise.mean()) < 4 / surprise.size**0.5
    np.testing.assert_array_equal(played[name].total, rewards.sum(1))


def test_tasks_keep_their_numbers(played):
    """The first bandits play the same with fewer behind them."""
    few = jax.tree.map(lambda x: x[:10], tasks())
    again = play_bandits(Thompson(), few, PULLS, key=jax.random.key(1))
    np.testing.assert_array_equal(again.arms, played["Thompson"].arms[:10])
    np.testing.assert_array_equal(again.rewards, played["Thompson"].rewards[:10])


def test_same_luck(played):
    """At the same time, the same arm pays the same, whoever pulls it."""
    one, other = played["Greedy"], played["Thompson"]
    same = np.asarray(one.arms == other.arms)
    assert 0.1 < same.mean() < 0.9
    np.testing.assert_array_equal(one.rewards[same], other.rewards[same])
    elsewhere = play_bandits(Greedy(), tasks(), PULLS, key=jax.random.key(2))
    assert np.any(elsewhere.rewards != one.rewards)


def test_ranks(played):
    mean = {name: float(pulls.total.mean()) for name, pulls in played.items()}
    assert mean["RandomArm"] < mean["Thompson"] < mean["Gittins"]
    assert mean["Thompson"] < mean["OptimisticThompson"] < mean["Gittins"]
    assert mean["Gittins"] < float(best_arm(tasks(), PULLS).mean())


def choices(strategy, wins, losses, draws=2000):
    """How often each arm is chosen."""
    wins, losses = jnp.array(wins), jnp.array(losses)
    keys = jax.random.split(jax.random.key(0), draws)
    chosen = jax.jit(jax.vmap(lambda key: strategy.choose(key, wins, losses, jnp.array(5))))(keys)
    return np.bincount(np.asarray(chosen), minlength=len(wins)) / draws


def test_greedy_shares_equal_means():
    """The means 2/4, 1/2, 1/3."""
    np.testing.assert_allclose(choices(Greedy(), [1, 0, 0], [1, 0, 1]), [0.5, 0.5, 0], atol=0.05)


def test_epsilon_greedy_tries_any_arm():
    """1 − ε + ε/3 for the best."""
    shares = choices(EpsilonGreedy(epsilon=0.3), [3, 0, 0], [0, 1, 1])
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.04)


def test_thompson_matches_the_probability_of_being_best():
    """p₁ ~ Beta(2, 1) exceeds p₂ ~ U[0, 1] with probability ∫ 2p · p dp = 2/3."""
    np.testing.assert_allclose(choices(Thompson(), [1, 0], [0, 0]), [2 / 3, 1 / 3], atol=0.05)


def test_optimistic_thompson_never_draws_below_the_mean():
    """p₁ is max(p, 2/3), p ~ Beta(2, 1), and p₂ max(p, 1/2), p ~ U[0, 1].

    p₂ wins if it is above 2/3 and p₁: ∫_{2/3}^1 p² dp = (1 − 8/27)/3 = 19/81.
    """
    shares = choices(OptimisticThompson(), [1, 0], [0, 0])
    np.testing.assert_allclose(shares, [62 / 81, 19 / 81], atol=0.04)


def test_ucb1_weighs_the_unknown():
    """t = 7: with T = 6 and 4, 4/6 + c √(2 ln 7 / 6) against 2/4 + c √(2 ln 7 / 4).

    The second is larger if c > (1/6) / (√(ln 7 / 2) − √(ln 7 / 3)) ≈ 0.92.
    """
    assert choices(UCB1(c=0.9), [3, 1], [1, 1])[0] == 1
    assert choices(UCB1(c=0.94), [3, 1], [1, 1])[1] == 1


def test_errors():
    with pytest.raises(BadInput, match="0 pulls"):
        play_bandits(Greedy(), tasks(), 0, key=jax.random.key(0))
    with pytest.raises(BadInput, match=r"\[instances, arms\]"):
        play_bandits(Greedy(), Arms(jnp.ones(3)), 5, key=jax.random.key(0))
