"""A trial: several episodes in one MDP, with a memory that nothing clears in between.

M_i is drawn once; episodes follow each other by automatic reset, which never draws it again. A
policy sees what the last episode ended with: its last reward and its done flag arrive together
with the next episode's first observation.
"""

import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from quickstudy.envs.compiled_door import begun, stepped
from quickstudy.envs.environment import MDP, Action, MDPFamily, Observation, State, compiled
from quickstudy.envs.host_family import host_of
from quickstudy.errors import BadInput, demand_counts


class Seen(NamedTuple):
    """What a meta-policy sees at time t.

    Attributes:
        observation: o_t.
        action_tm1: a_{t−1}, encoded (one-hot if discrete); zeros for "none" at the trial's start.
        reward_tm1: r_{t−1}, or 0.
        done_tm1: 1 if an episode ended at t − 1, so that o_t begins another.
        first: 1 at the trial's first step.
    """

    observation: Observation
    action_tm1: Float[Array, " actions"]
    reward_tm1: Float[Array, ""]
    done_tm1: Float[Array, ""]
    first: Float[Array, ""]

    def flat(self) -> Float[Array, " inputs"]:
        """All of it in one vector, the observation first."""
        flags = jnp.stack([self.reward_tm1, self.done_tm1, self.first])
        return jnp.concatenate([self.observation.reshape(-1), self.action_tm1, flags])


class Place(NamedTuple):
    """Where in a trial one is.

    Attributes:
        state: the environment's state.
        episode: episodes that have ended.
        time: steps taken in this episode.
    """

    state: State
    episode: Int[Array, ""]
    time: Int[Array, ""]


class Outcome(NamedTuple):
    """What follows an action in a trial.

    Attributes:
        reward: r_t.
        done: whether the episode ended with this step, by its own rules or at the horizon.
        state: the environment's, before an episode that is over begins again.
    """

    reward: Float[Array, ""]
    done: Bool[Array, ""]
    state: State


class Trial(eqx.Module):
    """n episodes in one MDP.

    Attributes:
        environment: the family of MDPs.
        episodes: n.
        in_a_row: MDPs that follow each other with the memory left as it is, of which the last is
            scored, for policies that do not clear it themselves: 1, unless it is to be shown what
            that does, in a compiled family.

    Raises:
        BadInput: no episode or no MDP, or several in a row on the host.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> trial = Trial(Bandit(arms=3), episodes=10)
        >>> trial.steps, trial.inputs
        (10, 6)
    """

    environment: MDPFamily
    episodes: int = eqx.field(static=True)
    in_a_row: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        demand_counts(episodes=self.episodes, in_a_row=self.in_a_row)
        if self.in_a_row != 1 and host_of(self.environment):
            raise BadInput(
                f"in_a_row is {self.in_a_row}; on the host every trial begins with a fresh "
                "memory: give 1"
            )

    @property
    def steps(self) -> int:
        """The most steps a trial can take; one whose episodes end early is over sooner."""
        return self.episodes * self.environment.horizon

    @property
    def observed(self) -> int:
        """The size of an observation, with which `Seen.flat()` begins."""
        return math.prod(self.environment.observation_shape)

    @property
    def inputs(self) -> int:
        """The size of `Seen.flat()`: the observation, the action, and three flags."""
        return self.observed + self.environment.actions.size + 3

    def begin(self, key: PRNGKeyArray, task: MDP) -> tuple[Place, Seen]:
        """The first episode's start. The key is consumed."""
        state, observation = begun(compiled(self.environment), key, task)
        zero = jnp.zeros(())
        nothing = jnp.zeros(self.environment.actions.size)
        zeros = jnp.zeros((), jnp.int32)
        return Place(state, zeros, zeros), Seen(observation, nothing, zero, zero, jnp.ones(()))

    def step(
        self, key: PRNGKeyArray, place: Place, action: Action, task: MDP
    ) -> tuple[Place, Seen, Outcome]:
        """Act, and begin the next episode if this one is over. The key is consumed."""
        step_key, reset_key = jax.random.split(key)
        environment = compiled(self.environment)
        after = stepped(environment, step_key, place.state, action, task)
        # Either way the next episode begins, and a policy is not told the difference.
        done = after.done | (place.time + 1 >= environment.horizon)
        # Always computed: under `vmap` a branch would compute both sides all the same.
        fresh = begun(environment, reset_key, task)
        state, observation = jax.tree.map(
            lambda new, old: jnp.where(done, new, old), fresh, (after.state, after.observation)
        )
        # Of the types that a trial begins with, whatever precision JAX counts in.
        action_t, reward_t, done_t = (
            x.astype(float) for x in (environment.actions.encode(action), after.reward, done)
        )
        seen = Seen(observation, action_t, reward_t, done_t, jnp.zeros(()))
        place = Place(state, place.episode + done, jnp.where(done, 0, place.time + 1))
        return place, seen, Outcome(after.reward, done, after.state)

    def over(self, place: Place) -> Bool[Array, ""]:
        """Whether all episodes have ended: what follows counts for nothing."""
        return place.episode >= self.episodes
