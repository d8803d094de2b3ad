"""Games follow their rules, hide them, keep them through a trial, and are played optimally."""

import itertools
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.drawing import LOOKS
from quickstudy.envs.games.game import MOVES, SYMBOLS, Games
from quickstudy.envs.games.layout import Playing, deal
from quickstudy.envs.games.rules import (
    CHEST,
    COIN,
    COMBINATIONS,
    DOOR,
    FRUIT,
    GROUPS,
    HAZARD,
    KEEP,
    KEY,
    NOTHING,
    OBJECTS,
    SHAPE,
    SHRINE,
    SPLITS,
    TOOL,
    TREASURE,
    combinations,
    rule_names,
    thing_objects,
    touches,
)
from quickstudy.rl.trial import Trial

GAMES = Games()
KEY_0, KEY_1 = jax.random.split(jax.random.key(0))
KEYS = jax.random.split(KEY_0, 500)
RIGHT, LEFT = 1, 3
step = jax.jit(GAMES.step)


@pytest.fixture(scope="module")
def sampled():
    """500 games."""
    return jax.jit(jax.vmap(GAMES.sample))(KEYS)


def some(tasks, index):
    """One of many games, or a slice of them."""
    return jax.tree.map(lambda leaf: leaf[index], tasks)


def combine(**rules):
    """The combination of the rules named; the first of each group if none is."""
    chosen = [
        list(names).index(rules.get(group, next(iter(names)))) for group, names in GROUPS.items()
    ]
    return jnp.array(np.ravel_multi_index(chosen, SHAPE))


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


def test_combinations_are_split_and_every_pair_of_rules_is_met_in_training():
    parts = [set(combinations(split).tolist()) for split in SPLITS]
    assert set().union(*parts) == set(range(COMBINATIONS))
    assert sum(map(len, parts)) == COMBINATIONS
    met = np.stack(np.unravel_index(combinations("train"), SHAPE), -1)
    for one, other in itertools.combinations(range(len(SHAPE)), 2):
        assert len(np.unique(met[:, [one, other]], axis=0)) == SHAPE[one] * SHAPE[other]
    tested = np.stack(np.unravel_index(combinations("test"), SHAPE), -1)
    assert [len(np.unique(column)) for column in tested.T] == list(SHAPE)


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


def test_layouts(sampled):
    cells, starts = np.asarray(sampled.cells), np.asarray(sampled.start)
    apart = np.abs(cells[:, :, None] - cells[:, None]).sum(-1) + 9 * np.eye(9, dtype=int)
    assert apart.min() == 2
    chest, key, door = (cells[:, OBJECTS.index(thing)] for thing in (CHEST, KEY, DOOR))
    assert (chest[:, 1] > 3).all()
    assert (key[:, 1] < 3).all()
    assert (door[:, 1] == 3).all()
    assert set(door[:, 0]) == {1, 3}
    assert (np.abs(cells - starts[:, None]).sum(-1) > 0).all()
    assert len(np.unique(starts, axis=0)) == 9
    walls = np.asarray(sampled.walls)
    assert (walls.sum((1, 2)) == 4).all()
    assert not walls[np.arange(500), door[:, 0], 3].any()
    both = [len(np.unique(cells[:, i], axis=0)) for i in range(3, 9)]
    assert both == [12] * 6


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


def reference(game, horizon):
    """The best return, by recursion over things and rules, without any table of the game's."""
    rules = touches(int(game.combination))
    objects = tuple(np.asarray(thing_objects(game.combination)).tolist())
    places = [tuple(cell) for cell in np.asarray(game.cells).tolist()]
    walls = np.asarray(game.walls)

    @cache
    def value(player, kinds, held, left):
        if left == 0:
            return 0.0
        best = -np.inf
        for move in MOVES.tolist():
            beside = (player[0] + move[0], player[1] + move[1])
            after, then, hand, reward, done = player, kinds, held, -0.01, False
            if 0 <= beside[0] < 5 and 0 <= beside[1] < 7 and not walls[beside]:
                index = places.index(beside) if beside in places else None
                thing = kinds[index] if index is not None else NOTHING
                rule = rules[thing]
                after = player if rule.solid else beside
                if index is not None and thing and rule.needs in (NOTHING, held):
                    then = (*kinds[:index], rule.becomes, *kinds[index + 1 :])
                    hand = held if rule.gives == KEEP else rule.gives
                    reward, done = reward + rule.pays, rule.ends
            best = max(best, reward + (0.0 if done else value(after, then, hand, left - 1)))
        return best

    return value(tuple(game.start.tolist()), objects, NOTHING, horizon)


def test_the_optimum_is_that_of_a_plain_recursion(sampled):
    games = Games(horizon=14)
    tasks = some(sampled, slice(12))
    found = jax.jit(lambda tasks: jax.lax.map(games.optimal_return, tasks))(tasks)
    by_hand = [reference(some(tasks, i), 14) for i in range(12)]
    np.testing.assert_allclose(found, by_hand, atol=1e-5)
    assert max(by_hand) > 1  # treasures within reach


def test_a_plan_works_in_every_episode_and_only_in_its_own_game(sampled):
    """Rules, symbols and layout outlast an episode: the plan is as good the second time."""
    trial = Trial(GAMES, episodes=2)
    tasks = some(sampled, slice(8))

    def play(task, actions):
        place, _ = trial.begin(KEY_0, task)

        def forward(place, _):
            over, episode = trial.over(place), place.episode
            place, _, out = trial.step(KEY_1, place, actions[place.time], task)
            return place, jnp.where((jnp.arange(2) == episode) & ~over, out.reward, 0.0)

        return jax.lax.scan(forward, place, length=trial.steps)[1].sum(0)

    plans = jax.jit(lambda tasks: jax.lax.map(GAMES.optimal_plan, tasks))(tasks)
    play = jax.jit(jax.vmap(play))
    returns = play(tasks, plans.actions)
    np.testing.assert_allclose(returns[:, 0], plans.value, atol=1e-5)
    np.testing.assert_allclose(returns[:, 1], plans.value, atol=1e-5)
    assert plans.value.min() > 0.5  # every game can be won
    mistaken = play(tasks, jnp.roll(plans.actions, 1, 0))
    assert (mistaken[:, 0] < plans.value - 0.3).all()


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
    with pytest.raises(BadInput, match="combination is 576"):
        rule_names(576)
