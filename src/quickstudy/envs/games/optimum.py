"""The best that can be done in a game whose rules are known."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from quickstudy.envs.environment import Environment
from quickstudy.envs.games.layout import COLUMNS, ROWS, Game, Playing
from quickstudy.envs.games.rules import NOTHING, STAGES


class GamePlan(NamedTuple):
    """What to do from the start.

    Attributes:
        actions: `[horizon]`; what follows the episode's end counts for nothing.
        value: the return.
    """

    actions: Int[Array, " horizon"]
    value: Float[Array, ""]


class _States(NamedTuple):
    """All states, numbered.

    Attributes:
        all: the states themselves, `[states, ...]`.
        chains: `[objects, 3]`, the symbols that each object goes through.
        hands: `[3]`, the symbols that can be held.
    """

    all: Playing
    chains: Int[Array, "objects 3"]
    hands: Int[Array, "3"]


def best_plan(games: Environment, start: Playing, task: Game) -> GamePlan:
    """Value iteration over an episode, by the game's own step.

    V_0 = 0,   V_h(s) = max_a  r(s, a) + (1 − done) V_{h−1}(s')

    over 45,360 states: 35 cells of the player, 3 things in hand, 432 stages of the objects.

    Args:
        games: what steps.
        start: where an episode begins.
        task: the game.
    """
    states = _enumerate(task)
    key = jax.random.key(0)  # games are deterministic

    def follow(state: Playing, action: Int[Array, ""]) -> tuple[Array, Array, Array]:
        step = games.step(key, state, action, task)
        return _number(step.state, states), step.reward, step.done

    actions = jnp.arange(4)
    after, reward, done = jax.vmap(jax.vmap(follow, (None, 0)), (0, None))(states.all, actions)

    def back(value: Float[Array, " states"], _: None) -> tuple[Array, Array]:
        q = reward + jnp.where(done, 0.0, value[after])
        # A byte each, for one is kept for every state and step: 1.4 million.
        return q.max(1), jnp.argmax(q, 1).astype(jnp.int8)

    nothing = jnp.zeros(len(reward))
    value, policy = jax.lax.scan(back, nothing, length=games.horizon)

    def forward(at: Int[Array, ""], best: Int[Array, " states"]) -> tuple[Array, Array]:
        return after[at, best[at]], best[at].astype(jnp.int32)

    first = _number(start, states)
    return GamePlan(jax.lax.scan(forward, first, policy, reverse=True)[1][::-1], value[first])


def _enumerate(task: Game) -> _States:
    becomes = task.rules.becomes
    once = becomes[task.kinds]
    chains = jnp.stack([task.kinds, once, becomes[once]], 1)
    # The key and the tool: what gives itself when it is touched.
    (carried,) = jnp.nonzero(task.rules.gives > NOTHING, size=2)
    hands = jnp.append(jnp.int32(NOTHING), carried.astype(jnp.int32))
    shape = (ROWS, COLUMNS, len(hands), *STAGES)
    digits = np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), -1).astype(np.int32)
    kinds = chains[np.arange(len(STAGES))[None], digits[:, 3:]]
    every = jax.vmap(Playing)(jnp.asarray(digits[:, :2]), kinds, hands[digits[:, 2]])
    return _States(every, chains, hands)


def _number(state: Playing, states: _States) -> Int[Array, ""]:
    stages = jnp.argmax(states.chains == state.kinds[:, None], 1)
    number = state.player[0] * COLUMNS + state.player[1]
    number = number * len(states.hands) + jnp.argmax(states.hands == state.held)
    for index, stage in enumerate(STAGES):
        number = number * stage + stages[index]
    return number
