"""Acting through trials in environments that are stepped on the host."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from quickstudy.envs.environment import Actions
from quickstudy.envs.host import Host
from quickstudy.envs.host_family import HostFamily
from quickstudy.errors import BadInput
from quickstudy.rl.policy import Actor
from quickstudy.rl.prepared import prepared
from quickstudy.rl.rollout import Rollout
from quickstudy.rl.trial import Seen, Trial


def host_rollouts(
    actor: Actor,
    trial: Trial,
    key: PRNGKeyArray,
    trials: int,
    *,
    first: int = 0,
    parts: int = 1,
    through: Host | None = None,
) -> Rollout:
    """Act through many trials, as many side by side as the host has copies.

    Args:
        actor: a policy, or an actor that needs no task.
        trial: how many episodes, in which `HostFamily`.
        key: consumed; trial i meets the same task and draws the same numbers for any number of
            copies.
        trials: how many.
        first: the number of the first of them.
        parts: keep the actor's state at the start of so many equal parts of each trial.
        through: a host that wraps the family's, to note what it steps.

    Returns:
        rollouts `[trials, time]`, NumPy arrays, without their last states.

    Raises:
        BadInput: the family is not stepped on the host.
        QuickstudyError: an environment failed; the message names copy, task and seed.

    Example:
        >>> from quickstudy.oracles.simple import Random
        >>> trial = Trial(HostFamily(poles), episodes=2)  # doctest: +SKIP
        >>> random = Random(trial.environment)  # doctest: +SKIP
        >>> host_rollouts(random, trial, jax.random.key(0), 100).reward.shape  # doctest: +SKIP
        (100, 400)
    """
    if not isinstance(trial.environment, HostFamily):
        raise BadInput("this family is compiled; act in it with rollout")
    host = through or trial.environment.host
    seed_key, act_key = jax.random.split(key)
    # Environments on the host are seeded by a number, not by a key.
    seed = int(jax.random.bits(seed_key))
    # The whole mesh would do the same work on each of its devices.
    arrays, rest = eqx.partition((actor, act_key), eqx.is_array)
    actor, act_key = eqx.combine(jax.device_put(arrays, jax.devices()[0]), rest)
    found = []
    for start in range(first, first + trials, host.copies):
        numbers = jnp.arange(start, start + host.copies)
        acting = _Acting(actor, trial, act_key, numbers, host.begin(seed, start))
        found.append(acting.through(host, parts, first + trials - start))
    # All copies act each time: what the last ones did beyond `trials` is dropped.
    return jax.tree.map(lambda *xs: np.concatenate(xs)[:trials], *found)


class _Acting:
    """One trial in every copy."""

    def __init__(
        self, actor: Actor, trial: Trial, key: PRNGKeyArray, numbers: Array, observation: Any
    ) -> None:
        self.trial, copies = trial, len(numbers)
        self.act = prepared(_act, actor, trial.environment.actions, key, numbers)
        zeros: Any = np.zeros(copies, np.float32)
        nothing: Any = np.zeros((copies, trial.environment.actions.size), np.float32)
        self.seen = Seen(observation, nothing, zeros, zeros, zeros + 1)
        self.state = jax.tree.map(
            lambda x: jnp.broadcast_to(x, (copies, *x.shape)), actor.begin(None)
        )
        self.episode = np.zeros(copies, np.int32)

    def through(self, host: Host, parts: int, wanted: int) -> Rollout:
        """All steps `[copies, time]`, until the trials of the first `wanted` copies are over."""
        length, states, path = self.trial.steps // parts, [], []
        for time in range(self.trial.steps):
            if time % length == 0:
                states.append(jax.tree.map(np.asarray, self.state))
            on = (self.episode[:wanted] < self.trial.episodes).any()
            path.append(self._step(host, time) if on else self._over(path[-1]))
        stacked = jax.tree.map(lambda *xs: np.stack(xs, 1), *path)
        kept = jax.tree.map(lambda *xs: np.stack(xs, 1), *states)
        return Rollout(*stacked, states=kept, last=None)

    def _step(self, host: Host, time: int) -> tuple[Any, ...]:
        state, action, encoded, notes = self.act(self.state, self.seen, np.int32(time))
        taken = np.asarray(action)
        after: Any = host.step(taken)
        seen = self.seen
        real = self.episode < self.trial.episodes
        reward = np.where(real, after.reward, np.float32(0))
        now = (seen, taken, reward, after.done, real, self.episode.copy(), notes)
        self.state, self.episode = state, self.episode + after.done
        done: Any = after.done.astype(np.float32)
        # What one episode ended with arrives with the next one's first observation.
        self.seen = Seen(after.observation, encoded, after.reward, done, 0 * done)
        return now

    def _over(self, last: tuple[Any, ...]) -> tuple[Any, ...]:
        """What stands where all trials are over and nothing is stepped: it counts for nothing."""
        _, action, reward, done, _, _, notes = last
        no: Any = np.zeros_like(done)
        return self.seen, action, 0 * reward, no, no, self.episode, notes


def _act(
    actor: Actor,
    kind: Actions,
    key: PRNGKeyArray,
    numbers: Int[Array, " copies"],
    state: Any,
    seen: Seen,
    time: Int[Array, ""],
) -> tuple[Any, Any, Any, Any]:
    """What every copy does, drawn by its number and the time."""

    def one(state: Any, seen: Seen, number: Array) -> tuple[Any, Any, Any, Any]:
        now = jax.random.fold_in(jax.random.fold_in(key, number), time)
        state, action, notes = actor.act(state, seen, key=now)
        return state, action, kind.encode(action), notes

    return jax.vmap(one)(state, seen, numbers)
