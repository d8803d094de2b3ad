"""The best that can be done in a known game, against a plain recursion."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.envs.games.game import MOVES, Games
from quickstudy.envs.games.rules import KEEP, NOTHING, thing_objects, touches
from quickstudy.rl.trial import Trial
from references.dealt_games import GAMES, KEY_0, KEY_1, some


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
