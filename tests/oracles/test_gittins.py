"""Gittins indices against hand-made ones, bisection, and tabulated scores."""

from functools import cache

import jax
import numpy as np
import pytest

from quickstudy.envs.bandit import Bandit
from quickstudy.errors import BadInput
from quickstudy.oracles.bandits import best_arm, play_bandits
from quickstudy.oracles.bayes import UNTRIED, solve
from quickstudy.oracles.gittins import Gittins, cell, gittins_table
from quickstudy.oracles.instances import draw_tasks


def bisected(s, f, left):
    """The λ per pull that is worth as much as one pull more, by halving [0, 1]."""

    def pull(s, f, left, sure):
        p = (1 + s) / (2 + s + f)

        @cache
        def best(s, f, left):
            # Once the sure arm is preferred it stays so: nothing more is learnt.
            return max(left * sure, left and arm(s, f, left))

        def arm(s, f, left):
            p = (1 + s) / (2 + s + f)
            return p * (1 + best(s + 1, f, left - 1)) + (1 - p) * best(s, f + 1, left - 1)

        return p * (1 + best(s + 1, f, left - 1)) + (1 - p) * best(s, f + 1, left - 1)

    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if pull(s, f, left, middle) > left * middle:
            low = middle
        else:
            high = middle
    return low


def test_every_index_of_eight_pulls():
    table = gittins_table(8, grid=40_001)
    for left in range(1, 9):
        for tried in range(9 - left):
            for s in range(tried + 1):
                found = table[cell(s, tried - s, left)]
                assert found == pytest.approx(bisected(s, tried - s, left), abs=1e-6)


def test_by_hand():
    """One pull left: the mean. Two: (p + p p') / (1 + p), p' the mean after a success."""
    table = gittins_table(8)
    assert table[cell(3, 1, 1)] == pytest.approx(4 / 6, abs=1e-6)
    assert table[cell(3, 1, 2)] == pytest.approx((4 / 6 + 4 / 6 * 5 / 7) / (1 + 4 / 6), abs=1e-5)


def test_a_finer_grid_changes_little():
    off = np.abs(gittins_table(50) - gittins_table(50, grid=4097))
    assert off.max() < 5e-4
    assert off.mean() < 3e-5


def test_more_pulls_left_make_exploring_worth_more():
    table = gittins_table(50)
    index = [table[cell(2, 3, left)] for left in range(1, 45)]
    assert np.all(np.diff(index) > 0)


@pytest.mark.parametrize("arms", [2, 5, 10])
def test_ten_pulls_are_nearly_bayes_optimal(arms):
    """The exact value of the index policy, by the same recursion over beliefs."""
    table = gittins_table(10)

    def value(greedy):
        @cache
        def of(beliefs, left):
            if left == 0:
                return 0.0
            choices = [*beliefs, *[UNTRIED] * (len(beliefs) < arms)]
            arm = max(choices, key=lambda b: table[cell(*b, 1 if greedy else left)])
            others = list(beliefs)
            if arm != UNTRIED:
                others.remove(arm)
            (s, f) = arm
            p = (1 + s) / (2 + s + f)
            paid = of(tuple(sorted([*others, (s + 1, f)])), left - 1)
            return p * (1 + paid) + (1 - p) * of(tuple(sorted([*others, (s, f + 1)])), left - 1)

        return of((), 10)

    best = solve(arms, 10).value
    assert best - 0.01 < value(greedy=False) <= best
    # The check sees a wrong index: that of the last pull, the mean, is greedy.
    assert value(greedy=True) < best - 0.01


@pytest.mark.parametrize(
    ("arms", "score", "interval"), [(5, 78.56, 0.23), (10, 83.79, 0.16), (50, 85.48, 0.12)]
)
def test_tabulated_scores(arms, score, interval):
    """100 pulls of 2,000 bandits, with the best arm's p, whose mean is k/(k + 1), as control."""
    tasks = draw_tasks(Bandit(arms=arms), 2000, key=jax.random.key(0))
    total = np.asarray(play_bandits(Gittins.of(100), tasks, 100, key=jax.random.key(1)).total)
    best = np.asarray(best_arm(tasks, 100)) - 100 * arms / (arms + 1)
    adjusted = total - best * np.cov(total, best)[0, 1] / best.var()
    error = np.hypot(adjusted.std() / 2000**0.5, interval / 1.96)
    assert error < 0.25
    assert adjusted.mean() == pytest.approx(score, abs=3.5 * error)


def test_errors():
    with pytest.raises(BadInput, match="pulls is 0"):
        Gittins.of(0)
    tasks = draw_tasks(Bandit(arms=3), 2, key=jax.random.key(0))
    with pytest.raises(BadInput, match=r"give Gittins.of\(11\)"):
        play_bandits(Gittins.of(10), tasks, 11, key=jax.random.key(0))
