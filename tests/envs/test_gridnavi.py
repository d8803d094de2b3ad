"""GridNavi has VariBAD's goals, moves and rewards, and is drawn as it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.drawing import LOOKS, PAPER, frame
from quickstudy.envs.gridnavi import DOWN, LEFT, NOOP, RIGHT, UP, GridNavi, Hidden
from quickstudy.rl.trial import Trial

GRID = GridNavi()
KEY = jax.random.key(0)


def walk(actions, goal):
    task = Hidden(jnp.array(goal))
    state, _ = GRID.reset(KEY, task)
    steps = []
    for action in actions:
        step = GRID.step(KEY, state, jnp.array(action), task)
        state = step.state
        steps.append((tuple(step.state.tolist()), round(float(step.reward), 4), bool(step.done)))
    return steps


def test_the_numbers_are_the_papers():
    assert (GRID.size, GRID.horizon, GRID.actions.size, GRID.observation_shape) == (5, 15, 5, (25,))
    goals = np.asarray(jax.vmap(GRID.sample)(jax.random.split(KEY, 4200)).goal)
    drawn, counts = np.unique(goals, axis=0, return_counts=True)
    kept_free = {(0, 0), (0, 1), (1, 0), (1, 1)}
    every = {(x, y) for x in range(5) for y in range(5)}
    assert set(map(tuple, drawn.tolist())) == every - kept_free
    assert abs(counts - 200).max() < 70  # five standard deviations


def test_moves_rewards_and_borders():
    assert walk([LEFT, DOWN, UP, RIGHT, NOOP], (3, 3)) == [
        ((0, 0), -0.1, False),
        ((0, 0), -0.1, False),
        ((0, 1), -0.1, False),
        ((1, 1), -0.1, False),
        ((1, 1), -0.1, False),
    ]
    assert walk([RIGHT, RIGHT, NOOP, RIGHT, RIGHT, RIGHT, LEFT], (2, 0)) == [
        ((1, 0), -0.1, False),
        ((2, 0), 1.0, False),
        ((2, 0), 1.0, False),
        ((3, 0), -0.1, False),
        ((4, 0), -0.1, False),
        ((4, 0), -0.1, False),
        ((3, 0), -0.1, False),
    ]


def test_the_observation_is_the_cell_and_never_the_goal():
    seen = [GRID.reset(KEY, Hidden(jnp.array(goal)))[1] for goal in ((2, 2), (4, 0))]
    np.testing.assert_array_equal(seen[0], seen[1])
    observed = jax.vmap(
        lambda x, y: GRID.step(KEY, jnp.stack([x, y]), jnp.array(NOOP), Hidden(jnp.zeros(2, int)))
    )(*jnp.divmod(jnp.arange(25), 5)).observation
    np.testing.assert_array_equal(observed.sum(0), np.ones(25))
    np.testing.assert_array_equal(observed.sum(1), np.ones(25))


def play(key, task, grid=GRID):
    """Two episodes of the policy that knows the goal."""
    trial = Trial(grid, episodes=2)
    place, _ = trial.begin(key, task)

    def forward(place, key):
        action = grid.optimal_action(place.state, task)
        place, _, out = trial.step(key, place, action, task)
        return place, (out.reward, out.done)

    return jax.lax.scan(forward, place, jax.random.split(key, trial.steps))[1]


def test_the_best_policy_gets_the_best_return_twice():
    keys = jax.random.split(KEY, 8)
    tasks = jax.vmap(GRID.sample)(keys)
    rewards, done = jax.jit(jax.vmap(play))(keys, tasks)
    distance = tasks.goal.sum(-1)
    by_hand = (15 - distance + 1) - 0.1 * (distance - 1)
    np.testing.assert_allclose(rewards[:, :15].sum(1), by_hand, rtol=1e-5)
    np.testing.assert_array_equal(rewards[:, :15], rewards[:, 15:])
    np.testing.assert_array_equal(done, [([False] * 14 + [True]) * 2] * 8)
    assert len(np.unique(np.asarray(distance))) > 1  # or equal rewards would prove nothing


def test_jit_changes_nothing():
    short, task = GridNavi(horizon=2), Hidden(jnp.array([0, 2]))
    rewards, done = jax.jit(lambda key: play(key, task, short))(KEY)
    with jax.disable_jit():
        plain = play(KEY, task, short)
    np.testing.assert_array_equal(rewards, plain[0])
    np.testing.assert_array_equal(done, plain[1])


def test_it_is_drawn():
    state, task = jnp.array([1, 0]), Hidden(jnp.array([4, 3]))
    assert GRID.render(state, task) == ".....\n....G\n.....\n.....\n.@..."
    picture = GRID.frame(state, task)
    assert picture.shape == (80, 80, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[72, 24]) == LOOKS["@"].colour
    assert tuple(picture[24, 72]) == LOOKS["G"].colour
    assert tuple(picture[40, 40]) == PAPER
    assert GRID.render(jnp.array([4, 3]), task).splitlines()[1] == "....@"


def test_what_cannot_work_is_refused():
    with pytest.raises(BadInput, match="size is 2"):
        GridNavi(size=2)
    with pytest.raises(BadInput, match=r"cannot paint \['%'\]"):
        frame(["%."])
    with pytest.raises(BadInput, match=r"\[1, 2\] characters"):
        frame([".", ".."])
