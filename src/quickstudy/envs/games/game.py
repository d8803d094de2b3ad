"""A distribution of small grid games; one compiled step plays every one of them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.envs.drawing import Drawn
from quickstudy.envs.environment import Action, Actions, Discrete, Environment, Observation, Step
from quickstudy.envs.games.layout import COLUMNS, ROWS, Game, Playing, deal
from quickstudy.envs.games.optimum import GamePlan, best_plan
from quickstudy.envs.games.rules import (
    KEEP,
    NOTHING,
    THINGS,
    Rules,
    combinations,
)

PER_STEP = -0.01
MOVES = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]], np.int32)  # up, right, down, left
SIGHT = 3  # cells seen in each direction
SYMBOLS = "abcdefghi"


class Games(Environment, Drawn):
    """Find out by acting how a new game works, then play it well, all within a few episodes.

    Two rooms of 5 × 3 cells with a doorway between them. In the left one are the player and a
    key, in the right one the treasure, which pays 1 and ends the episode; a tool, two hazards, two
    coins and a shrine lie in either. Five rules say how the treasure is come by, what opens the
    door, what hazards do, what coins are worth and what the shrine wants (`rules.GROUPS`). A step
    costs 0.01; an episode has at most 30. Objects return when an episode begins anew.

    Every game permutes which of nine symbols stands for which thing, so that nothing can be known
    from looking: symbols, like rules, must be touched. Rules, symbols and layout are drawn together
    and stay the same through a trial, start included: what remains to be learned is the game,
    and a plan that worked once works again. The splits hold different combinations of rules.

    What may happen costs less than what may be won, so that unknown things are worth touching: else
    the first thing to learn, and the last, would be to touch nothing.

    The observation is `[8, 7, 10]`: the 7 × 7 cells around the player with a channel for each
    symbol and one for walls, which lie around the rooms, too; the eighth row shows in its first
    cell the symbol that is held. Seen so, what lies beside the player is the same wherever it is.

    Attributes:
        split: "train", "validation" or "test": which combinations of rules are drawn.
        horizon: H.

    Raises:
        BadInput: another split.

    Example:
        >>> games = Games(split="test")
        >>> game = games.sample(jax.random.key(0))
        >>> state, seen = games.reset(jax.random.key(1), game)
        >>> seen.shape, games.actions.size
        ((8, 7, 10), 4)
    """

    split: str = eqx.field(static=True, default="train")
    horizon: int = eqx.field(static=True, default=30)

    def __check_init__(self) -> None:
        combinations(self.split)

    @property
    def actions(self) -> Actions:
        """Up, right, down, left."""
        return Discrete(4)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Symbols and walls around the player; one row more for what is held."""
        return (2 * SIGHT + 2, 2 * SIGHT + 1, THINGS + 1)

    def sample(self, key: PRNGKeyArray) -> Game:
        """A combination of rules, symbols for its things, and a layout."""
        rule_key, symbol_key, layout_key = jax.random.split(key, 3)
        combination = jax.random.choice(rule_key, jnp.asarray(combinations(self.split)))
        return deal(combination, symbol_key, layout_key)

    def reset(self, key: PRNGKeyArray, task: Game) -> tuple[Playing, Observation]:
        """All objects in their places, nothing in hand."""
        state = Playing(task.start, task.kinds, jnp.zeros((), jnp.int32))
        return state, self._observe(state, task)

    def step(self, key: PRNGKeyArray, state: Playing, action: Action, task: Game) -> Step:
        """Walk, or touch what stands in the way."""
        beside = state.player + jnp.asarray(MOVES)[action]
        inside = jnp.all((beside >= 0) & (beside < jnp.array([ROWS, COLUMNS])))
        row, column = jnp.where(inside, beside, state.player)
        free = inside & ~task.walls[row, column]
        touched = free & jnp.all(task.cells == beside[None], 1)
        # One thing at most lies in a cell, and all others count as 0.
        symbol = jnp.max(jnp.where(touched, state.kinds, NOTHING))
        rules: Rules = jax.tree.map(lambda table: table[symbol], task.rules)
        works = (rules.needs == NOTHING) | (rules.needs == state.held)
        after = Playing(
            jnp.where(free & ~rules.solid, beside, state.player),
            jnp.where(touched & works, rules.becomes, state.kinds),
            jnp.where(works & (rules.gives != KEEP), rules.gives, state.held),
        )
        reward = PER_STEP + jnp.where(works, rules.pays, 0.0)
        return Step(after, self._observe(after, task), reward, works & rules.ends)

    def optimal_plan(self, task: Game) -> GamePlan:
        """The best actions with the game known, and what they earn. It is exact.

        Games are deterministic, so that the plan is a list of actions: value iteration over where
        the player is, what is held, and what each object has become.
        """
        start, _ = self.reset(jax.random.key(0), task)
        return best_plan(self, start, task)

    def optimal_return(self, task: Game) -> Float[Array, ""]:
        """The return of an episode with the game known."""
        return self.optimal_plan(task).value

    def rows(self, state: Playing, task: Game) -> list[str]:
        """Letters are symbols, `#` is wall, `@` the player; the last row shows what is held."""
        grid = np.where(np.asarray(task.walls), "#", ".")
        for (row, column), kind in zip(
            np.asarray(task.cells), np.asarray(state.kinds), strict=True
        ):
            if kind:
                grid[row, column] = SYMBOLS[kind - 1]
        grid[tuple(np.asarray(state.player))] = "@"
        held = (" " + SYMBOLS)[int(state.held)]
        return ["".join(row) for row in grid] + [held.ljust(COLUMNS)]

    def _observe(self, state: Playing, task: Game) -> Observation:
        # As much more on each side as is seen, so that the view fits everywhere: all of it is wall.
        grid = jnp.zeros((ROWS + 2 * SIGHT, COLUMNS + 2 * SIGHT, THINGS + 2))
        walls = jnp.pad(task.walls, SIGHT, constant_values=True)
        grid = grid.at[..., THINGS + 1].set(walls.astype(jnp.float32))
        grid = grid.at[task.cells[:, 0] + SIGHT, task.cells[:, 1] + SIGHT, state.kinds].set(1.0)
        side = 2 * SIGHT + 1
        corner = (*state.player, jnp.zeros_like(state.player[0]))
        view = jax.lax.dynamic_slice(grid, corner, (side, side, THINGS + 2))
        hand = jnp.zeros((1, side, THINGS + 2)).at[0, 0, state.held].set(1.0)
        # Channel 0 takes what is gone; it is cut off.
        return jnp.concatenate([view, hand])[..., 1:]
