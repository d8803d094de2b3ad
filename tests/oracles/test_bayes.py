"""The Bayes optimum against enumeration, tabulated values, and its own play."""

from functools import cache

import jax
import numpy as np
import pytest

from quickstudy.envs.bandit import Bandit
from quickstudy.errors import BadInput
from quickstudy.oracles.bandits import best_arm, play_bandits
from quickstudy.oracles.bayes import BayesOptimal, solve
from quickstudy.oracles.instances import draw_tasks


def enumerated(arms, pulls):
    """Expectimax over every arm's own counts, with no use of their exchangeability."""

    @cache
    def value(counts, left):
        return left and max(pull(counts, i, left) for i in range(arms))

    def pull(counts, i, left):
        s, f = counts[i]
        p = (1 + s) / (2 + s + f)
        paid = (*counts[:i], (s + 1, f), *counts[i + 1 :])
        failed = (*counts[:i], (s, f + 1), *counts[i + 1 :])
        return p * (1 + value(paid, left - 1)) + (1 - p) * value(failed, left - 1)

    return value(((0, 0),) * arms, pulls)


@pytest.mark.parametrize(("arms", "pulls"), [(1, 5), (2, 7), (3, 5), (5, 3)])
def test_value_is_that_of_enumeration(arms, pulls):
    assert solve(arms, pulls).value == pytest.approx(enumerated(arms, pulls), abs=1e-12)


@pytest.mark.parametrize(("arms", "value"), [(5, 6.660), (10, 6.714), (50, 6.714)])
def test_tabulated_values(arms, value):
    assert solve(arms, pulls=10).value == pytest.approx(value, abs=5e-4)


def test_arms_beyond_the_pulls_change_nothing():
    assert solve(4, pulls=4) == solve(9, pulls=4)
    assert solve(3, pulls=4).value < solve(4, pulls=4).value


def test_the_decisions_earn_the_value():
    """Of 4,000 bandits, with the best arm's p, whose mean is k/(k + 1), as control variate."""
    tasks = draw_tasks(Bandit(arms=5), 4000, key=jax.random.key(0))
    total = np.asarray(play_bandits(BayesOptimal.of(5, 10), tasks, 10, key=jax.random.key(1)).total)
    best = np.asarray(best_arm(tasks, 10)) - 50 / 6
    adjusted = total - best * np.cov(total, best)[0, 1] / best.var()
    assert adjusted.mean() == pytest.approx(6.660, abs=4 * adjusted.std() / 4000**0.5)


def test_errors():
    with pytest.raises(BadInput, match="0 arms"):
        solve(0, 10)
    tasks = draw_tasks(Bandit(arms=3), 2, key=jax.random.key(0))
    with pytest.raises(BadInput, match=r"give BayesOptimal.of\(3, 4\)"):
        play_bandits(BayesOptimal.of(2, 4), tasks, 4, key=jax.random.key(0))
