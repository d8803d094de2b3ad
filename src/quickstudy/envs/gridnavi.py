"""GridNavi: a goal somewhere in a small grid (Zintgraf et al., 2020, VariBAD)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from quickstudy.envs.drawing import Drawn
from quickstudy.envs.environment import Action, Actions, Discrete, Environment, Observation, Step
from quickstudy.errors import BadInput

ON_GOAL, ELSEWHERE = 1.0, -0.1
NOOP, UP, RIGHT, DOWN, LEFT = range(5)
MOVES = np.array([[0, 0], [0, 1], [1, 0], [0, -1], [-1, 0]], np.int32)  # in x and y

Cell = Int[Array, "2"]


class Hidden(eqx.Module):
    """One task.

    Attributes:
        goal: its x and y, from the bottom left.
    """

    goal: Cell


class GridNavi(Environment, Drawn):
    """Find the one cell that pays, and stay: +1 on the goal, −0.1 elsewhere, for 15 steps.

    Episodes start in the bottom-left corner and do not end at the goal, which is never seen. It is
    uniform over the cells that are neither the start nor next to it, diagonally included: 21 of
    25. The actions are to stay, and to go up, right, down and left; the border stops a move.
    VariBAD's trials have 4 episodes.

    The observation is the cell, one-hot, `[25]`, where the authors give x and y: what to do next
    is a table over cells and not a smooth function of coordinates, and one-hot it needs no scale.

    Attributes:
        size: cells in a row.
        horizon: H.

    Raises:
        BadInput: a grid of fewer than 3 × 3 cells has no cell for a goal.

    Example:
        >>> grid = GridNavi()
        >>> task = Hidden(jnp.array([0, 2]))
        >>> state, _ = grid.reset(jax.random.key(0), task)
        >>> for _ in range(2):
        ...     state, seen, reward, done = grid.step(jax.random.key(1), state, jnp.array(UP), task)
        >>> state.tolist(), int(seen.argmax()), float(reward), bool(done)
        ([0, 2], 10, 1.0, False)

    References:
        Zintgraf et al. (2020), https://arxiv.org/abs/1910.08348, section 5.1; its code is
        https://github.com/lmzintgraf/varibad, `environments/navigation/gridworld.py`.
    """

    size: int = eqx.field(static=True, default=5)
    horizon: int = eqx.field(static=True, default=15)

    def __check_init__(self) -> None:
        if self.size < 3:
            raise BadInput(f"size is {self.size}; a goal needs a grid of 3 or more cells a side")

    @property
    def actions(self) -> Actions:
        """Stay, up, right, down, left."""
        return Discrete(5)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The cell, one-hot."""
        return (self.size**2,)

    @property
    def goals(self) -> np.ndarray:
        """`[goals, 2]`, the cells where a goal may lie."""
        cells = np.argwhere(np.ones((self.size, self.size), bool)).astype(np.int32)
        return cells[cells.max(1) > 1]

    def sample(self, key: PRNGKeyArray) -> Hidden:
        """A goal."""
        return Hidden(jax.random.choice(key, jnp.asarray(self.goals)))

    def reset(self, key: PRNGKeyArray, task: Hidden) -> tuple[Cell, Observation]:
        """The bottom-left corner."""
        state = jnp.zeros(2, jnp.int32)
        return state, self._observe(state)

    def step(self, key: PRNGKeyArray, state: Cell, action: Action, task: Hidden) -> Step:
        """Move, and be paid for where that leads."""
        after = jnp.clip(state + jnp.asarray(MOVES)[action], 0, self.size - 1)
        reward = jnp.where(jnp.all(after == task.goal), ON_GOAL, ELSEWHERE)
        return Step(after, self._observe(after), reward, jnp.array(False))

    def optimal_action(self, state: Cell, task: Hidden) -> Action:
        """With the goal known: first right or left, then up or down, then stay.

        Example:
            >>> int(GridNavi().optimal_action(jnp.array([2, 4]), Hidden(jnp.array([2, 3]))))
            3
        """
        x, y = task.goal - state
        across = jnp.where(x > 0, RIGHT, LEFT)
        along = jnp.where(y > 0, UP, DOWN)
        return jnp.where(x != 0, across, jnp.where(y != 0, along, NOOP))

    def rows(self, state: Cell, task: Hidden) -> list[str]:
        """`@` is the player, `G` the goal that it does not see."""
        grid = np.full((self.size, self.size), ".")
        for mark, (x, y) in (("G", np.asarray(task.goal)), ("@", np.asarray(state))):
            grid[self.size - 1 - y, x] = mark
        return ["".join(row) for row in grid]

    def _observe(self, state: Cell) -> Observation:
        return jax.nn.one_hot(state[1] * self.size + state[0], self.size**2, dtype=jnp.float32)
