"""Beliefs by hand, what every planner does, what each of them plans, and how they rank."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.envs.tabular import Table, TabularMDP
from quickstudy.errors import BadInput
from quickstudy.oracles.instances import draw_tasks
from quickstudy.oracles.planning import optimum, policy_of, value_iteration
from quickstudy.oracles.tabular import (
    BEB,
    PSRL,
    UCRL2,
    Belief,
    EpsilonGreedyPlanner,
    GreedyPlanner,
    OptimisticPSRL,
    RandomPolicy,
    play_tabular,
)

MDP = TabularMDP()
EPISODES, INSTANCES = 25, 100
PLANNERS = [
    RandomPolicy(), GreedyPlanner(), EpsilonGreedyPlanner(), PSRL(), OptimisticPSRL(samples=2),
    UCRL2(), BEB(),
]  # fmt: skip
NAMES = [type(planner).__name__ for planner in PLANNERS]


def tasks():
    return draw_tasks(MDP, INSTANCES, key=jax.random.key(0))


@pytest.fixture(scope="module")
def played():
    """Every planner's play of the same MDPs, with the same luck."""
    return {
        name: play_tabular(planner, MDP, tasks(), EPISODES, key=jax.random.key(1))
        for name, planner in zip(NAMES, PLANNERS, strict=True)
    }


def adjusted(played):
    """Total rewards with the MDP's optimum, whose mean is 21.84 ± 0.01, as control variate."""
    total, best = np.asarray(played.returns.sum(1)), np.asarray(optimum(tasks(), MDP.horizon))
    return total - (best - 21.84) * np.cov(total, best)[0, 1] / best.var()


def some(moves, paid, horizon=2):
    return Belief(jnp.array(moves), jnp.array(paid), horizon)


def test_belief_by_hand():
    """One state, two actions; action 0 paid 3 and 5, action 1 was never taken."""
    belief = Belief.before(TabularMDP(states=1, choices=2))
    zero = jnp.array(0)
    for reward in (3.0, 5.0):
        belief = belief.after(zero, zero, jnp.array(reward), zero)
    np.testing.assert_allclose(belief.visits, [[2, 0]])
    np.testing.assert_allclose(belief.mean().rewards, [[(1 + 8) / 3, 1]])
    drawn = jax.vmap(lambda key: belief.draw(key).rewards)(
        jax.random.split(jax.random.key(0), 10_000)
    )
    np.testing.assert_allclose(drawn.mean(0), [[3, 1]], atol=0.04)
    np.testing.assert_allclose(drawn.var(0), [[1 / 3, 1]], rtol=0.07)


def test_drawn_transitions_are_those_of_the_posterior():
    """Dirichlet(1 + (3, 0)): mean 4/5, variance 4 · 1 / (25 · 6)."""
    belief = some([[[3.0, 0.0]], [[0.0, 0.0]]], [[0.0], [0.0]])
    keys = jax.random.split(jax.random.key(0), 10_000)
    p = jax.vmap(lambda key: belief.draw(key).transitions)(keys)
    np.testing.assert_allclose(p.mean(0)[:, 0], [[0.8, 0.2], [0.5, 0.5]], atol=0.01)
    np.testing.assert_allclose(p.var(0)[:, 0, 0], [4 / 150, 1 / 12], rtol=0.07)


@pytest.mark.parametrize("name", NAMES)
def test_every_transition_is_believed(played, name):
    """Ten per episode, the last one too; and the rewards add up."""
    belief, returns = played[name].belief, played[name].returns
    assert returns.shape == (INSTANCES, EPISODES)
    np.testing.assert_array_equal(belief.moves.sum((1, 2, 3)), EPISODES * MDP.horizon)
    np.testing.assert_allclose(belief.paid.sum((1, 2)), returns.sum(1), rtol=1e-4)


def test_beliefs_are_about_the_mdp_that_was_played(played):
    """How often s, a led to s' follows P: of the random policy's moves, state by state."""
    moves = np.asarray(played["RandomPolicy"].belief.moves)
    p, n = np.asarray(tasks().transitions), moves.sum(-1, keepdims=True)
    surprise = (moves - n * p).sum((0, 1, 2))
    assert np.all(np.abs(surprise) < 4 * np.sqrt((n * p * (1 - p)).sum((0, 1, 2))))
    # The check sees moves that belong to another MDP.
    wrong = np.abs((moves - n * np.roll(p, 1, 0)) * p).sum()
    assert wrong > 1.2 * np.abs((moves - n * p) * p).sum()


def test_tasks_and_episodes_keep_their_numbers(played):
    """The first MDPs and episodes play the same with fewer behind them."""
    few = jax.tree.map(lambda x: x[:10], tasks())
    again = play_tabular(PSRL(), MDP, few, 5, key=jax.random.key(1))
    np.testing.assert_allclose(again.returns, played["PSRL"].returns[:10, :5], rtol=1e-5)


def test_psrl_scores_what_is_tabulated(played):
    """133.0 ± 1.1 and 404.2 ± 2.6 of 2,000 MDPs; "about 135 and 407" by another program."""
    for episodes, score, interval in ((10, 133.0, 1.1), (25, 404.2, 2.6)):
        first = played["PSRL"]._replace(returns=played["PSRL"].returns[:, :episodes])
        total = adjusted(first)
        error = np.hypot(total.std() / INSTANCES**0.5, interval / 1.96)
        assert error < 0.02 * score
        assert total.mean() == pytest.approx(score, abs=3.5 * error)


def test_ranks(played):
    """Only what 100 MDPs can tell: 25 episodes score 250, 404, 411, 425, 438 and 440 of 546."""
    mean = {name: adjusted(episodes).mean() for name, episodes in played.items()}
    assert mean["RandomPolicy"] == pytest.approx(250, abs=15)
    assert mean["PSRL"] == pytest.approx(mean["OptimisticPSRL"], abs=15)
    assert mean["RandomPolicy"] + 100 < mean["PSRL"] < mean["GreedyPlanner"]
    assert mean["EpsilonGreedyPlanner"] + 10 < min(mean["UCRL2"], mean["BEB"])
    assert max(mean["UCRL2"], mean["BEB"]) < EPISODES * 21.84


def test_greedy_plans_with_the_mean():
    belief = some([[[2.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 3.0]]], [[2.0, 0.0], [0.0, 9.0]])
    expected = policy_of(value_iteration(belief.mean(), 2))
    np.testing.assert_array_equal(GreedyPlanner().plan(jax.random.key(0), belief), expected)


def test_epsilon_greedy_plans_any_action_with_probability_epsilon():
    belief = some(jnp.zeros((50, 2, 50)), jnp.tile(jnp.array([[9.0, 0.0]]), (50, 1)), horizon=40)
    plan = EpsilonGreedyPlanner(epsilon=0.4).plan(jax.random.key(0), belief)
    assert float(plan.mean()) == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize(
    ("bold", "timid"), [(BEB(beta=0.65), BEB(beta=0.6)), (UCRL2(c=0.043), UCRL2(c=0.036))]
)
def test_a_bonus_sends_to_what_is_unknown(bold, timid):
    """Action 0, known from 100 visits, is believed to pay 1.2; action 1, from one, to pay 1.

    BEB, with |S| = 1: 1.2 + β/102 against 1 + β/3, equal at β = 0.62. UCRL2: the radii of the
    rewards are c √(7 ln(2 · 2 · 102 / 0.05) / 2n), 0.56 c and 5.6 c, equal at c = 0.04.
    """
    belief = some([[[100.0], [1.0]]], [[120.2, 1.0]], horizon=1)
    assert bold.plan(jax.random.key(0), belief).item() == 1
    assert timid.plan(jax.random.key(0), belief).item() == 0


def test_posterior_samples_explore_and_more_of_them_explore_more():
    """Means 1.2, known well, and 1, known badly (deviation √½): P(second above) = 0.39."""
    belief = some([[[1e6], [1.0]]], [[1.2e6, 1.0]], horizon=1)
    keys = jax.random.split(jax.random.key(0), 2000)
    share = [
        float(jax.vmap(lambda key, p=planner: p.plan(key, belief))(keys).mean())
        for planner in (PSRL(), OptimisticPSRL(samples=4))
    ]
    np.testing.assert_allclose(share, [0.389, 1 - 0.611**4], atol=0.05)


def test_errors():
    with pytest.raises(BadInput, match="0 episodes"):
        play_tabular(PSRL(), MDP, tasks(), 0, key=jax.random.key(0))
    with pytest.raises(BadInput, match=r"\[instances, 10, 5\]"):
        play_tabular(PSRL(), MDP, MDP.sample(jax.random.key(0)), 5, key=jax.random.key(0))
    other = jax.vmap(Table)(jnp.zeros((2, 3, 2, 3)), jnp.zeros((2, 3, 2)))
    with pytest.raises(BadInput, match=r"\[instances, 10, 5\]"):
        play_tabular(PSRL(), MDP, other, 5, key=jax.random.key(0))
