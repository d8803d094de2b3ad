"""Grid mazes with unseen layouts: what RL² does in visual navigation, without a renderer."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from quickstudy.envs.drawing import Drawn
from quickstudy.envs.environment import Action, Actions, Discrete, Environment, Observation, Step
from quickstudy.errors import BadInput

AT_TARGET, INTO_WALL, PER_STEP = 1.0, -0.001, -0.04
UP, RIGHT, DOWN, LEFT = range(4)
MOVES = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]], np.int32)  # in rows and columns
SIGHT = 2  # tiles seen in each direction

Cell = Int[Array, "2"]


class MazeLayout(eqx.Module):
    """One maze of n × n cells, drawn on (2n + 1)² tiles: cell (r, c) is tile (2r + 1, 2c + 1).

    Attributes:
        walls: which tiles are wall.
        start: the cell, row and column from the top left, in which episodes begin.
        target: the cell to find.
    """

    walls: Bool[Array, "tiles tiles"]
    start: Cell
    target: Cell


class Maze(Environment, Drawn):
    """Find the target in a maze never seen before; then find it again, faster.

    The maze is a random spanning tree of its cells (Kruskal's, over random weights) with
    `openings` further walls taken away. Start and target are drawn with it, at least two cells
    apart, so that the target is not in view at first. All of it stays the same through a trial;
    trials have two episodes. The moves are up, right, down and left, one cell each. A step costs
    0.04, touching a wall 0.001 more, and the target, which ends the episode, pays 1. An episode
    has at most 2n² steps, in which any tree can be walked through and back: 50 for 5 × 5 cells,
    162 for 9 × 9.

    The observation is the 5 × 5 tiles around the agent, `[5, 5, 2]`: walls and the target. What
    lies beyond the neighbouring cells is not seen, nor where in the maze this is, so the way to
    the target has to be remembered. The view is always north up: were it turned with the agent,
    keeping the wall to the right would solve any tree with hardly a memory.

    Attributes:
        size: n, cells in a row.
        openings: walls taken away beyond a tree's.
        horizon: 2n² steps.

    Raises:
        BadInput: fewer than 4 × 4 cells, or more openings than walls.

    Example:
        >>> maze = Maze()
        >>> task = maze.sample(jax.random.key(0))
        >>> state, seen = maze.reset(jax.random.key(1), task)
        >>> seen.shape, maze.horizon
        ((5, 5, 2), 50)

    References:
        Duan et al. (2016), RL², https://arxiv.org/abs/1611.02779, section 3.3, for the task and
        the rewards; there the view is a rendered first-person image.
    """

    size: int = eqx.field(static=True, default=5)
    openings: int = eqx.field(static=True, default=0)
    horizon: int = eqx.field(static=True, init=False)

    def __post_init__(self) -> None:
        self.horizon = 2 * self.size**2

    def __check_init__(self) -> None:
        # A tree of n² cells has n² − 1 passages, of the 2n(n − 1) that there may be.
        most = (self.size - 1) ** 2
        if self.size < 4 or not 0 <= self.openings <= most:
            raise BadInput(
                f"size is {self.size} and openings is {self.openings}; a maze has 4 or more cells "
                f"a side and 0 to {most} openings"
            )

    @property
    def actions(self) -> Actions:
        """Up, right, down, left."""
        return Discrete(4)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Walls and target on the tiles around the agent."""
        return (2 * SIGHT + 1, 2 * SIGHT + 1, 2)

    def sample(self, key: PRNGKeyArray) -> MazeLayout:
        """A maze, a start and a target."""
        walls_key, start_key, target_key = jax.random.split(key, 3)
        start = jax.random.randint(start_key, (2,), 0, self.size)
        cells = jnp.asarray(np.argwhere(np.ones((self.size, self.size))), jnp.int32)
        far = jnp.max(jnp.abs(cells - start[None]), 1) >= 2
        target = jax.random.choice(target_key, cells, p=far / far.sum())
        return MazeLayout(self._walls(walls_key), start, target)

    def reset(self, key: PRNGKeyArray, task: MazeLayout) -> tuple[Cell, Observation]:
        """The start."""
        return task.start, self._observe(task.start, task)

    def step(self, key: PRNGKeyArray, state: Cell, action: Action, task: MazeLayout) -> Step:
        """Move, unless there is a wall."""
        move = jnp.asarray(MOVES)[action]
        between = 2 * state + 1 + move
        wall = task.walls[between[0], between[1]]
        after = jnp.where(wall, state, state + move)
        done = jnp.all(after == task.target)
        reward = PER_STEP + jnp.where(wall, INTO_WALL, 0.0) + jnp.where(done, AT_TARGET, 0.0)
        return Step(after, self._observe(after, task), reward, done)

    def distances(self, task: MazeLayout) -> Int[Array, "rows columns"]:
        """The steps from each cell to the target, by breadth-first search."""
        far = jnp.int32(self.size**2)
        # Doorways as costs: 0 where one may go up (or left), too much where there is a wall.
        up = jnp.where(task.walls[2:-1:2, 1::2], far, 0)
        left = jnp.where(task.walls[1::2, 2:-1:2], far, 0)

        def spread(carry: tuple[Array, Array]) -> tuple[Array, Array]:
            steps, _ = carry
            near = steps.at[1:].min(steps[:-1] + up + 1).at[:-1].min(steps[1:] + up + 1)
            near = near.at[:, 1:].min(steps[:, :-1] + left + 1)
            near = near.at[:, :-1].min(steps[:, 1:] + left + 1)
            return near, jnp.any(near != steps)

        none = jnp.full((self.size, self.size), far).at[task.target[0], task.target[1]].set(0)
        return jax.lax.while_loop(lambda carry: carry[1], spread, (none, jnp.array(True)))[0]

    def shortest(self, task: MazeLayout) -> Int[Array, ""]:
        """The fewest steps from the start to the target.

        Example:
            >>> maze = Maze()
            >>> int(maze.shortest(maze.sample(jax.random.key(0)))) >= 2
            True
        """
        return self.distances(task)[task.start[0], task.start[1]]

    def optimal_return(self, task: MazeLayout) -> Float[Array, ""]:
        """The return of an episode with the maze known: 1 − 0.04 · `shortest`."""
        return AT_TARGET + PER_STEP * self.shortest(task)

    def optimal_action(self, state: Cell, task: MazeLayout) -> Action:
        """With the maze known: a step that leads nearer to the target."""
        steps = jnp.pad(self.distances(task), 1, constant_values=self.size**2)
        beside = state[None] + jnp.asarray(MOVES)
        walls = task.walls[state[0] + beside[:, 0] + 1, state[1] + beside[:, 1] + 1]
        after = steps[beside[:, 0] + 1, beside[:, 1] + 1]
        return jnp.argmin(jnp.where(walls, self.size**2, after)).astype(jnp.int32)

    def rows(self, state: Cell, task: MazeLayout) -> list[str]:
        """The whole maze: `#` is wall, `@` the agent, `G` the target."""
        tiles = np.where(np.asarray(task.walls), "#", ".")
        for mark, (row, column) in (("G", np.asarray(task.target)), ("@", np.asarray(state))):
            tiles[2 * row + 1, 2 * column + 1] = mark
        return ["".join(row) for row in tiles]

    def _observe(self, state: Cell, task: MazeLayout) -> Observation:
        target = jnp.zeros_like(task.walls).at[2 * task.target[0] + 1, 2 * task.target[1] + 1]
        tiles = jnp.stack([task.walls, target.set(True)], -1)
        # One tile more on each side, so that the view fits at the border: nothing lies there.
        tiles = jnp.pad(tiles, ((1, 1), (1, 1), (0, 0)))
        corner = (2 * state[0], 2 * state[1], 0)
        return jax.lax.dynamic_slice(tiles, corner, self.observation_shape).astype(jnp.float32)

    def _walls(self, key: PRNGKeyArray) -> Bool[Array, "tiles tiles"]:
        """Kruskal's algorithm: open passages in a random order unless that closes a circle."""
        cells = np.arange(self.size**2).reshape(self.size, self.size)
        across = np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()], -1)
        along = np.stack([cells[:-1].ravel(), cells[1:].ravel()], -1)
        passages = jax.random.permutation(key, jnp.asarray(np.concatenate([across, along])))

        def join(trees: Int[Array, " cells"], ends: Int[Array, "2"]) -> tuple[Array, Array]:
            one, other = trees[ends[0]], trees[ends[1]]
            # A label for each cell in place of pointers, whose paths have no fixed length to
            # compile.
            return jnp.where(trees == other, one, trees), one != other

        _, opened = jax.lax.scan(join, jnp.arange(self.size**2), passages)
        # The first that would have closed a circle: their order is random already.
        opened |= jnp.cumsum(~opened) <= self.openings
        tiles = np.ones((2 * self.size + 1, 2 * self.size + 1), bool)
        tiles[1::2, 1::2] = False
        places = 2 * jnp.stack(jnp.divmod(passages, self.size), -1) + 1
        between = places.sum(1) // 2
        return jnp.asarray(tiles).at[between[:, 0], between[:, 1]].set(~opened)
