"""Every maze is connected and bordered, and is walked, seen and paid for as it is defined."""

from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.maze import DOWN, LEFT, RIGHT, UP, Maze, MazeLayout
from quickstudy.rl.trial import Trial

KEY = jax.random.key(0)
KEYS = jax.random.split(KEY, 64)
SMALL = Maze(size=4)
DRAWN = [
    "#########",
    "#..G#...#",
    "#.#####.#",
    "#.#.....#",
    "#.#.###.#",
    "#.#.#@#.#",
    "#.#.#.#.#",
    "#...#...#",
    "#########",
]


def parse(rows):
    """A layout from its drawing."""
    tiles = np.array([list(row) for row in rows])
    target, start = (np.argwhere(tiles == mark)[0] // 2 for mark in "G@")
    return MazeLayout(jnp.array(tiles == "#"), jnp.array(start), jnp.array(target))


TASK = parse(DRAWN)


def reached(walls, start):
    """Steps to each cell that can be reached, by breadth-first search over the tiles in Python."""
    steps, queue = {tuple(start): 0}, deque([tuple(start)])
    while queue:
        row, column = queue.popleft()
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            after = (row + down, column + right)
            if not walls[2 * row + 1 + down, 2 * column + 1 + right] and after not in steps:
                steps[after] = steps[row, column] + 1
                queue.append(after)
    return steps


@pytest.mark.parametrize("maze", [Maze(openings=3), Maze(size=9)], ids=str)
def test_mazes_are_connected_and_bordered(maze):
    tasks = jax.jit(jax.vmap(maze.sample))(KEYS)
    distances = np.asarray(jax.jit(jax.vmap(maze.distances))(tasks))
    shortest = np.asarray(jax.jit(jax.vmap(maze.shortest))(tasks))
    walls, targets = np.asarray(tasks.walls), np.asarray(tasks.target)
    n = maze.size
    assert walls.shape == (64, 2 * n + 1, 2 * n + 1)
    for border in (walls[:, 0], walls[:, -1], walls[:, :, 0], walls[:, :, -1]):
        assert border.all()
    assert walls[:, ::2, ::2].all()
    assert not walls[:, 1::2, 1::2].any()
    passages = (~walls).sum((1, 2)) - n * n
    np.testing.assert_array_equal(passages, n * n - 1 + maze.openings)
    for index in range(16):
        found = reached(walls[index], targets[index])
        assert len(found) == n * n
        assert all(distances[index][cell] == steps for cell, steps in found.items())
        assert shortest[index] == found[tuple(np.asarray(tasks.start[index]).tolist())]


def test_layouts_starts_and_targets_differ_across_keys():
    tasks = jax.jit(jax.vmap(Maze().sample))(jax.random.split(KEY, 2000))
    for leaf, fewest in ((tasks.walls, 1990), (tasks.start, 25), (tasks.target, 25)):
        assert len(np.unique(np.asarray(leaf), axis=0)) >= fewest
    assert np.abs(np.asarray(tasks.start - tasks.target)).max(1).min() == 2
    # Each of the inner walls stands in some mazes and not in others.
    mean = np.asarray(tasks.walls, float).mean(0)
    inner = np.concatenate([mean[2:-1:2, 1::2].ravel(), mean[1::2, 2:-1:2].ravel()])
    assert 0.25 < inner.min() < inner.max() < 0.55


def test_the_numbers():
    assert (Maze().horizon, Maze(size=9).horizon) == (50, 162)
    assert (Maze().actions.size, Maze().observation_shape) == (4, (5, 5, 2))
    assert SMALL.render(TASK.start, TASK) == "\n".join(DRAWN)
    assert SMALL.frame(TASK.start, TASK).shape == (144, 144, 3)


def test_steps_walls_and_rewards():
    state, rewards = TASK.start, []
    for action in (LEFT, DOWN, UP, UP):
        step = SMALL.step(KEY, state, jnp.array(action), TASK)
        state = step.state
        rewards.append(round(float(step.reward), 4))
    assert state.tolist() == [2, 2]
    assert rewards == [-0.041, -0.04, -0.04, -0.041]
    last = SMALL.step(KEY, jnp.array([0, 0]), jnp.array(RIGHT), TASK)
    assert (round(float(last.reward), 4), bool(last.done)) == (0.96, True)
    assert not step.done


def looks(seen):
    return ["".join("#" if tile else "." for tile in row) for row in np.asarray(seen[..., 0])]


def test_the_view_is_what_lies_around():
    _, seen = SMALL.reset(KEY, TASK)
    assert looks(seen) == [".....", ".###.", ".#.#.", ".#.#.", ".#..."]
    right = SMALL.step(KEY, jnp.array([1, 2]), jnp.array(RIGHT), TASK).observation
    assert looks(right) == ["...#.", "##.#.", "...#.", "##.#.", ".#.#."]
    assert not seen[..., 1].any()
    corner = SMALL.step(KEY, jnp.array([0, 0]), jnp.array(UP), TASK).observation
    np.testing.assert_array_equal(corner[..., 0][1], [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(corner[..., 0][0], np.zeros(5))
    assert jnp.argwhere(corner[..., 1]).tolist() == [[2, 4]]


def follow(maze, task, key, policy, episodes=2):
    """What a trial of a policy (state, key) → action brings."""
    trial = Trial(maze, episodes)
    place, _ = trial.begin(key, task)

    def forward(place, key):
        over = trial.over(place)
        place, _, out = trial.step(key, place, policy(place.state, key), task)
        return place, (out.reward * ~over, out.done & ~over)

    return jax.lax.scan(forward, place, jax.random.split(key, trial.steps))[1]


def test_who_knows_the_maze_takes_the_shortest_way_in_every_episode():
    maze = Maze(size=4, openings=2)
    tasks = jax.vmap(maze.sample)(KEYS[:16])

    def best(task, key):
        return follow(maze, task, key, lambda state, _: maze.optimal_action(state, task))

    rewards, done = jax.jit(jax.vmap(best))(tasks, KEYS[:16])
    shortest = np.asarray(jax.vmap(maze.shortest)(tasks))
    ends = np.argwhere(np.asarray(done)).reshape(16, 2, 2)[..., 1] + 1
    np.testing.assert_array_equal(ends[:, 0], shortest)
    np.testing.assert_array_equal(ends[:, 1], 2 * shortest)  # the same maze again
    optimum = np.asarray(jax.vmap(maze.optimal_return)(tasks))
    np.testing.assert_allclose(rewards.sum(1), 2 * optimum, rtol=1e-4)
    np.testing.assert_allclose(optimum, 1 - 0.04 * shortest, rtol=1e-5)


def test_who_knows_another_maze_does_not_arrive():
    """The negative control: the last test would notice a maze that changes."""
    tasks = jax.vmap(SMALL.sample)(KEYS[:16])
    others = jax.vmap(SMALL.sample)(KEYS[16:32])

    def mistaken(task, other, key):
        other = MazeLayout(other.walls, task.start, task.target)
        return follow(SMALL, task, key, lambda state, _: SMALL.optimal_action(state, other))

    _, done = jax.jit(jax.vmap(mistaken))(tasks, others, KEYS[:16])
    shortest = np.asarray(jax.vmap(SMALL.shortest)(tasks))
    assert (np.argmax(np.asarray(done), 1) + 1 == shortest).mean() < 0.5


def test_jit_changes_nothing():
    with jax.disable_jit():
        plain = SMALL.step(KEY, TASK.start, jnp.array(DOWN), TASK)
    compiled = jax.jit(SMALL.step)(KEY, TASK.start, jnp.array(DOWN), TASK)
    for one, other in zip(jax.tree.leaves(plain), jax.tree.leaves(compiled), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("size", "openings"), [(3, 0), (5, 17), (5, -1)])
def test_what_cannot_work_is_refused(size, openings):
    with pytest.raises(BadInput, match=f"size is {size} and openings is {openings}"):
        Maze(size, openings)
