"""Games follow their rules, hide them, and show what lies around the player."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.drawing import LOOKS
from quickstudy.envs.games.game import SYMBOLS, Games
from quickstudy.envs.games.layout import Playing, deal
from quickstudy.envs.games.rules import (
    CHEST,
    COIN,
    DOOR,
    FRUIT,
    HAZARD,
    KEY,
    NOTHING,
    OBJECTS,
    SHRINE,
    SPLITS,
    TOOL,
    TREASURE,
    combinations,
)
from references.dealt_games import GAMES, KEY_0, KEY_1, KEYS, combine

RIGHT, LEFT = 1, 3
step = jax.jit(GAMES.step)


def touch(thing, held=NOTHING, **rules):
    """Walk into a thing from beside: reward, what is there then, held then, done, and entered."""
    game = deal(combine(**rules), KEY_0, KEY_1)
    named = np.argsort(np.asarray(game.symbols))
    index = OBJECTS.index({TREASURE: CHEST, FRUIT: COIN}.get(thing, thing))
    kinds = game.kinds.at[index].set(game.symbols[thing])
    row, column = np.asarray(game.cells[index]).tolist()
    way = -1 if column > 0 else 1
    state = Playing(jnp.array([row, column + way]), kinds, game.symbols[held])
    after = step(KEY_0, state, jnp.array(RIGHT if way < 0 else LEFT), game)
    entered = after.state.player.tolist() == [row, column]
    thing_then = named[int(after.state.kinds[index])]
    held_then = named[int(after.state.held)]
    return round(float(after.reward), 3), thing_then, held_then, bool(after.done), entered


BOX, LOCKED = "in a box", "in a locked chest"


@pytest.mark.parametrize(
    ("thing", "held", "rules", "result"),
    [
        (TREASURE, NOTHING, {}, (0.99, NOTHING, NOTHING, True, True)),
        (KEY, TOOL, {}, (-0.01, NOTHING, KEY, False, True)),
        (TOOL, NOTHING, {}, (-0.01, NOTHING, TOOL, False, True)),
        (FRUIT, KEY, {}, (0.29, NOTHING, KEY, False, True)),
        (CHEST, TOOL, {"treasure": BOX}, (-0.01, TREASURE, TOOL, False, False)),
        (CHEST, TOOL, {"treasure": LOCKED}, (-0.01, CHEST, TOOL, False, False)),
        (CHEST, KEY, {"treasure": LOCKED}, (-0.01, TREASURE, KEY, False, False)),
        (CHEST, KEY, {"treasure": "made with the tool"}, (-0.01, CHEST, KEY, False, False)),
        (CHEST, TOOL, {"treasure": "made with the tool"}, (-0.01, TREASURE, TOOL, False, False)),
        (DOOR, NOTHING, {"door": "needs the key"}, (-0.01, DOOR, NOTHING, False, False)),
        (DOOR, KEY, {"door": "needs the key"}, (-0.01, NOTHING, KEY, False, False)),
        (DOOR, NOTHING, {"door": "takes a toll"}, (-0.11, NOTHING, NOTHING, False, False)),
        (HAZARD, KEY, {"hazard": "burns"}, (-0.11, HAZARD, KEY, False, True)),
        (HAZARD, KEY, {"hazard": "kills"}, (-0.21, HAZARD, KEY, True, True)),
        (HAZARD, KEY, {"hazard": "steals"}, (-0.06, HAZARD, NOTHING, False, True)),
        (COIN, NOTHING, {"coin": "pays"}, (0.29, NOTHING, NOTHING, False, True)),
        (COIN, NOTHING, {"coin": "is worthless"}, (-0.01, NOTHING, NOTHING, False, True)),
        (COIN, NOTHING, {"coin": "is cursed"}, (-0.11, NOTHING, NOTHING, False, True)),
        (COIN, NOTHING, {"coin": "bears fruit"}, (-0.01, FRUIT, NOTHING, False, False)),
        (SHRINE, KEY, {"shrine": "does nothing"}, (-0.01, SHRINE, KEY, False, True)),
        (SHRINE, KEY, {"shrine": "pays"}, (0.49, NOTHING, KEY, False, True)),
        (SHRINE, KEY, {"shrine": "buys the tool"}, (-0.01, SHRINE, KEY, False, True)),
        (SHRINE, TOOL, {"shrine": "buys the tool"}, (0.49, NOTHING, NOTHING, False, True)),
        (SHRINE, KEY, {"shrine": "buys the key"}, (0.49, NOTHING, NOTHING, False, True)),
    ],
)
def test_every_rule(thing, held, rules, result):
    assert touch(thing, held, **rules) == result


def test_walls_and_borders_stop_and_the_doorway_lets_through():
    game = deal(combine(), KEY_0, KEY_1)
    door = int(game.cells[OBJECTS.index(DOOR)][0])
    for row, column, action, after in (
        (door, 2, RIGHT, [door, 3]),
        ((door + 2) % 4, 2, RIGHT, [(door + 2) % 4, 2]),
        (1, 0, LEFT, [1, 0]),
        (0, 1, 0, [0, 1]),
        (4, 5, 2, [4, 5]),
        (3, 6, RIGHT, [3, 6]),
    ):
        state = Playing(jnp.array([row, column]), game.kinds, jnp.int32(0))
        stepped = step(KEY_0, state, jnp.array(action), game)
        assert stepped.state.player.tolist() == after
        assert round(float(stepped.reward), 3) == -0.01


@pytest.mark.parametrize("split", SPLITS)
def test_games_are_drawn_from_their_split(split):
    drawn = jax.jit(jax.vmap(lambda key: Games(split).sample(key).combination))(KEYS)
    drawn, own = set(np.asarray(drawn).tolist()), set(combinations(split).tolist())
    assert drawn <= own
    assert len(drawn) > 0.6 * len(own)


def test_symbols_say_nothing_about_things(sampled):
    """Each thing has each symbol equally often, so that a look tells nothing."""
    symbols = np.asarray(sampled.symbols)[:, 1:]
    assert (np.sort(symbols, 1) == np.arange(1, 10)).all()
    often = np.stack([(symbols == symbol).mean(0) for symbol in range(1, 10)])
    assert abs(often - 1 / 9).max() < 0.07  # five standard deviations


def test_the_observation_shows_symbols_walls_and_hand_around_the_player():
    game = deal(combine(door="needs the key"), KEY_0, KEY_1)
    for row, column in [(0, 0), (2, 3), (4, 6), (1, 2)]:
        state = Playing(jnp.array([row, column]), game.kinds.at[0].set(0), jnp.int32(4))
        seen = np.asarray(GAMES._observe(state, game))
        assert seen.shape == GAMES.observation_shape == (8, 7, 10)
        cells = dict(zip(map(tuple, game.cells.tolist()), state.kinds.tolist(), strict=True))
        for i, j in itertools.product(range(7), range(7)):
            cell = (row + i - 3, column + j - 3)
            inside = 0 <= cell[0] < 5 and 0 <= cell[1] < 7
            assert seen[i, j, 9] == (not inside or game.walls[cell])
            symbol = cells.get(cell, 0)
            assert seen[i, j, :9].tolist() == [symbol == k for k in range(1, 10)]
        assert seen[7].sum() == seen[7, 0, 3] == 1
        empty = Playing(state.player, state.kinds, jnp.int32(0))
        assert GAMES._observe(empty, game)[7].sum() == 0


def test_jit_changes_nothing():
    game = deal(combine(), KEY_0, KEY_1)
    state, _ = GAMES.reset(KEY_0, game)
    with jax.disable_jit():
        plain = GAMES.step(KEY_0, state, jnp.array(2), game)
    compiled = step(KEY_0, state, jnp.array(2), game)
    for one, other in zip(jax.tree.leaves(plain), jax.tree.leaves(compiled), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_is_drawn():
    game = deal(combine(treasure=LOCKED, door="needs the key"), KEY_0, KEY_1)
    state, _ = GAMES.reset(KEY_0, game)
    rows = GAMES.render(state, game).split("\n")
    assert [len(row) for row in rows] == [7] * 6
    for (row, column), kind in zip(game.cells.tolist(), game.kinds.tolist(), strict=True):
        assert rows[row][column] == SYMBOLS[kind - 1]
    assert rows[int(game.start[0])][int(game.start[1])] == "@"
    assert "".join(rows).count("#") == 4
    holding = Playing(state.player, state.kinds, jnp.int32(3))
    assert GAMES.render(holding, game).split("\n")[5] == "c      "
    picture = GAMES.frame(state, game)
    assert picture.shape == (96, 112, 3)
    row, column = (16 * game.start + 8).tolist()
    assert tuple(picture[row, column]) == LOOKS["@"].colour


def test_what_cannot_work_is_refused():
    with pytest.raises(BadInput, match=r"split is 'all'; .* train, validation, test"):
        Games(split="all")
