"""A game as arrays: its rules in its own symbols, where things lie, and what they have become."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from quickstudy.envs.games.rules import (
    KEEP,
    OBJECTS,
    THINGS,
    Rules,
    thing_objects,
    thing_rules,
)

ROWS, COLUMNS, WALL = 5, 7, 3  # WALL is the column between the two rooms
# Things lie on every second cell, so that no two are neighbours and none can be walled in.
LEFT_SPOTS, RIGHT_SPOTS = (
    np.array([[row, column] for row in (0, 2, 4) for column in columns], np.int32)
    for columns in ((0, 2), (4, 6))
)
STARTS = np.array(
    [[r, c] for r in range(ROWS) for c in range(WALL) if r % 2 or c % 2],
    np.int32,
)

Cell = Int[Array, "2"]


class Game(eqx.Module):
    """One game: its rules, in its own symbols, and its layout.

    Attributes:
        rules: what touching each symbol does.
        symbols: `[things + 1]`, the symbol 1 … 9 by which each thing is seen; nothing is 0.
        kinds: `[objects]`, the symbol of each object when an episode begins, or 0.
        cells: `[objects, 2]`, where the objects lie, row and column.
        walls: `[rows, columns]`.
        start: where the player starts.
        combination: which rules these are; see `rule_names`. It is never observed.
    """

    rules: Rules
    symbols: Int[Array, " symbols"]
    kinds: Int[Array, " objects"]
    cells: Int[Array, "objects 2"]
    walls: Bool[Array, "rows columns"]
    start: Cell
    combination: Int[Array, ""]


class Playing(eqx.Module):
    """The state of an episode.

    Attributes:
        player: row and column.
        kinds: `[objects]`, what each object is by now, or 0.
        held: the symbol in the player's hand, or 0.
    """

    player: Cell
    kinds: Int[Array, " objects"]
    held: Int[Array, ""]


def deal(combination: Int[Array, ""], symbol_key: PRNGKeyArray, layout_key: PRNGKeyArray) -> Game:
    """A game of given rules, with symbols and a layout of its own. Both keys are consumed.

    Args:
        combination: 0 … 575.
        symbol_key: permutes the symbols.
        layout_key: places the objects and the player.

    Example:
        >>> game = deal(jnp.array(0), jax.random.key(0), jax.random.key(1))
        >>> sorted(game.symbols.tolist())
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    symbols = jax.random.permutation(symbol_key, jnp.arange(1, THINGS + 1, dtype=jnp.int32))
    symbols = jnp.append(jnp.int32(0), symbols)

    rules = thing_rules(combination)

    def own(table: Array) -> Array:
        """By this game's symbols instead of by thing."""
        return jnp.zeros_like(table).at[symbols].set(table)

    rules = Rules(
        needs=own(symbols[rules.needs]),
        pays=own(rules.pays),
        becomes=own(symbols[rules.becomes]),
        gives=own(jnp.where(rules.gives == KEEP, KEEP, symbols[rules.gives])),
        ends=own(rules.ends),
        solid=own(rules.solid),
    )
    cells, walls, start = _layout(layout_key)
    kinds = symbols[thing_objects(combination)]
    return Game(rules, symbols, kinds, cells, walls, start, combination.astype(jnp.int32))


def _layout(key: PRNGKeyArray) -> tuple[Array, Array, Cell]:
    """Where the objects lie, in the order of `OBJECTS`; the walls; and the start."""
    left_key, right_key, rest_key, door_key, start_key = jax.random.split(key, 5)
    left = jax.random.permutation(left_key, jnp.asarray(LEFT_SPOTS))
    right = jax.random.permutation(right_key, jnp.asarray(RIGHT_SPOTS))
    rest = jax.random.permutation(rest_key, jnp.concatenate([left[1:], right[1:]]))
    # In an odd row, so that nothing lies right before the door.
    doorway = jnp.stack([2 * jax.random.randint(door_key, (), 0, 2) + 1, jnp.int32(WALL)])
    # In the order of `OBJECTS`: the chest lies in the right room, the key in the left, so that
    # every game can be won.
    cells = jnp.concatenate([right[:1], left[:1], doorway[None], rest[: len(OBJECTS) - 3]])
    walls = jnp.zeros((ROWS, COLUMNS), bool).at[:, WALL].set(True)
    start = jax.random.choice(start_key, jnp.asarray(STARTS))
    return cells, walls.at[doorway[0], doorway[1]].set(False), start
