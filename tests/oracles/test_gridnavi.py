"""GridNavi's optimum: by recursion over beliefs in tiny grids, and by playing in the real one."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.gridnavi import MOVES, GridNavi, Hidden
from quickstudy.oracles.gridnavi import bayes_optimal, known_goal_returns
from quickstudy.rl.trial import Trial


def belief_value(grid, episodes):
    """The definition: the best action for every belief, by recursion over the whole trial."""

    @cache
    def value(episode, time, cell, possible):
        if time == grid.horizon:
            return value(episode + 1, 0, (0, 0), possible) if episode + 1 < episodes else 0.0
        best = -np.inf
        for move in MOVES:
            after = tuple(int(c) for c in np.clip(np.add(cell, move), 0, grid.size - 1))
            rest = possible - {after}
            p = (len(possible) - len(rest)) / len(possible)
            total = 0.0
            if p > 0:
                total += p * (1.0 + value(episode, time + 1, after, frozenset({after})))
            if p < 1:
                total += (1 - p) * (-0.1 + value(episode, time + 1, after, rest))
            best = max(best, total)
        return best

    return value(0, 0, (0, 0), frozenset(map(tuple, grid.goals.tolist())))


@pytest.mark.parametrize(
    ("size", "horizon", "episodes"),
    [(3, 3, 3), (3, 4, 2), (3, 8, 2), (3, 1, 2), (4, 6, 2), (4, 9, 1)],
)
def test_the_search_finds_the_best_value_over_beliefs(size, horizon, episodes):
    grid = GridNavi(size, horizon)
    found = bayes_optimal(grid, episodes)
    np.testing.assert_allclose(found.returns.sum(), belief_value(grid, episodes), rtol=1e-9)


def test_varibads_grid():
    """21 goals: 3, 4, 5, 4, 3, 2 and 1 at distances 2 to 8, less (1, 1) at 2."""
    optimum = bayes_optimal(GridNavi(), episodes=4)
    at = {2: 2, 3: 4, 4: 5, 5: 4, 6: 3, 7: 2, 8: 1}
    known = sum(n * ((15 - d + 1) - 0.1 * (d - 1)) for d, n in at.items()) / 21
    assert known_goal_returns(GridNavi()).mean() == pytest.approx(known)
    # The first goal is reached in step 2 at the earliest, and then a new one in every step.
    first = sum((15 - t + 1) - 0.1 * (t - 1) for t in range(2, 16)) + 7 * -1.5
    np.testing.assert_allclose(optimum.returns, [first / 21, known, known, known])


def test_playing_the_plan_gets_what_the_oracle_says():
    grid = GridNavi()
    trial = Trial(grid, episodes=2)
    optimum = bayes_optimal(grid, episodes=2)
    cells = jnp.asarray(optimum.plan.reshape(-1, 2), jnp.int32)

    def play(goal):
        place, _ = trial.begin(jax.random.key(0), Hidden(goal))

        def forward(carry, cell):
            place, found = carry
            towards = jnp.where(found, goal, cell)
            action = grid.optimal_action(place.state, Hidden(towards))
            place, _, out = trial.step(jax.random.key(1), place, action, Hidden(goal))
            return (place, found | (out.reward > 0)), out.reward

        return jax.lax.scan(forward, (place, jnp.array(False)), cells)[1]

    rewards = jax.vmap(play)(jnp.asarray(grid.goals))
    np.testing.assert_allclose(
        rewards.reshape(21, 2, 15).sum(-1).mean(0), optimum.returns, rtol=1e-5
    )


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(BadInput, match="size is 6"):
        bayes_optimal(GridNavi(size=6))
    with pytest.raises(BadInput, match="episodes is 0"):
        bayes_optimal(GridNavi(), episodes=0)
