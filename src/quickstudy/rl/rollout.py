"""Acting through trials, compiled: what was seen, done and paid at every step."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from quickstudy.envs.environment import MDP, Action, State
from quickstudy.precision import product
from quickstudy.rl.policy import Actor
from quickstudy.rl.trial import Seen, Trial


class Rollout(NamedTuple):
    """One trial, `[time]`.

    Attributes:
        seen: what the actor saw before it acted.
        action: a_t.
        reward: r_t.
        done: whether the step ended an episode.
        real: whether the trial was still on; what follows its last episode counts for nothing.
        episode: the number of the episode that the step belongs to.
        notes: what the actor noted: for a policy, log π(a_t) and V_t.
        states: `[parts]`, the actor's state at the start of each part of the trial.
        last: the actor's state after the last step.
    """

    seen: Seen
    action: Action
    reward: Float[Array, " time"]
    done: Bool[Array, " time"]
    real: Bool[Array, " time"]
    episode: Int[Array, " time"]
    notes: Any
    states: State
    last: State


def rollout(
    actor: Actor,
    trial: Trial,
    task: MDP,
    key: PRNGKeyArray,
    *,
    state: State | None = None,
    parts: int = 1,
) -> Rollout:
    """Act through one trial.

    Args:
        actor: a policy or an oracle.
        trial: how many episodes, in which family.
        task: M_i.
        key: consumed.
        state: the actor's state at the start; by default the one it begins with.
        parts: keep the actor's state at the start of so many equal parts of the trial, from which
            truncated backpropagation can begin; must divide `trial.steps`.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> from quickstudy.oracles.simple import Random
        >>> trial = Trial(Bandit(arms=3), episodes=6)
        >>> task = trial.environment.sample(jax.random.key(0))
        >>> rollout(Random(trial.environment), trial, task, jax.random.key(1)).reward.shape
        (6,)
    """
    begin_key, key = jax.random.split(key)
    state = actor.begin(task) if state is None else state

    def step(carry: Any, key: PRNGKeyArray) -> tuple[Any, Any]:
        state, place, seen = carry
        act_key, step_key = jax.random.split(key)
        state, action, notes = actor.act(state, seen, key=act_key)
        # Asked before the step, for the step that ends the last episode counts.
        real = ~trial.over(place)
        after, seen_next, (reward, done, _) = trial.step(step_key, place, action, task)
        now = (seen, action, jnp.where(real, reward, 0.0), done, real, place.episode, notes)
        return (state, after, seen_next), now

    def part(carry: Any, keys: Any) -> tuple[Any, Any]:
        after, path = jax.lax.scan(step, carry, keys)
        return after, (carry[0], path)

    # The same keys for any number of parts, in another shape.
    keys = jax.random.split(key, (parts, trial.steps // parts))
    place, seen = trial.begin(begin_key, task)
    (last, _, _), (states, path) = jax.lax.scan(part, (state, place, seen), keys)
    path = jax.tree.map(lambda x: x.reshape(trial.steps, *x.shape[2:]), path)
    seen, action, reward, done, real, episode, notes = path
    return Rollout(seen, action, reward, done, real, episode, notes, states, last)


class Earned(NamedTuple):
    """What the episodes of a trial gave, `[..., episodes]`.

    Attributes:
        returns: the undiscounted reward of each.
        lengths: the number of steps of each; `None` where it is not known.
        successes: whether each succeeded, or in which share of its trajectories; `None` where
            environments do not tell.
    """

    returns: Float[Array, "... episodes"]
    lengths: Float[Array, "... episodes"] | None = None
    successes: Any = None


def earned(path: Rollout, episodes: int) -> Earned:
    """The reward and the number of steps of each episode of one trial."""
    member = (path.episode[:, None] == jnp.arange(episodes)[None]) & path.real[:, None]
    member = member.astype(jnp.float32)
    return Earned(product(path.reward, member), jnp.sum(member, 0))
