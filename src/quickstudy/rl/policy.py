"""The meta-policy: f_θ reads what was seen, remembers, and so adapts without changing a weight."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.envs.environment import MDP, Action, Actions, Continuous
from quickstudy.envs.interface import Interface
from quickstudy.nets.memory import Memory, State
from quickstudy.nets.network import Network
from quickstudy.rl.agent import Agent
from quickstudy.rl.distributions import ActionDistribution, over_actions
from quickstudy.rl.trial import Seen, Trial


@runtime_checkable
class Actor(Protocol):
    """What acts in a trial: a policy, or an oracle that is told the task."""

    def begin(self, task: MDP) -> State:
        """The state before the trial's first step. Only oracles may look at the task."""
        ...

    def act(self, state: State, seen: Seen, *, key: PRNGKeyArray) -> tuple[State, Action, Any]:
        """Act at time t: the next state, the action, and what else is to be noted. The key is
        consumed."""
        ...


class Thought(NamedTuple):
    """What a policy makes of what it has seen.

    Attributes:
        actions: π(· | history).
        value: V, how much more (discounted) reward is left in this trial than in a mean one at
            that time.
    """

    actions: ActionDistribution
    value: Float[Array, "..."]


Forgets = Callable[[Seen], Bool[Array, "..."]]
"""When memory is cleared, before it reads what was seen."""


def between_tasks(seen: Seen) -> Bool[Array, "..."]:
    """Clear at a trial's first step: the right way, which keeps what was learned in the MDP."""
    return seen.first > 0.5


def between_episodes(seen: Seen) -> Bool[Array, "..."]:
    """Clear at every episode's first step: nothing learned in one episode serves the next."""
    return (seen.first > 0.5) | (seen.done_tm1 > 0.5)


def never(seen: Seen) -> Bool[Array, "..."]:
    """Never clear: what was learned of one MDP leaks into the next."""
    return jnp.zeros_like(seen.first, bool)


Told = Callable[[Seen], Float[Array, " inputs"]]
"""What of a step the memory reads."""


def everything(seen: Seen) -> Float[Array, " inputs"]:
    """All that was seen, and whether a trial begins."""
    return seen.flat()


def no_beginnings(seen: Seen) -> Float[Array, " inputs"]:
    """All but where a trial begins: its first step looks as if an episode had just ended, with the
    first of the actions and without a reward."""
    begins = seen.first > 0.5
    nothing = jnp.zeros_like(seen.action_tm1).at[0].set(1.0)
    return seen._replace(
        action_tm1=jnp.where(begins, nothing, seen.action_tm1),
        done_tm1=jnp.where(begins, 1.0, seen.done_tm1),
        first=jnp.zeros_like(seen.first),
    ).flat()


class MetaPolicy(eqx.Module):
    """A memory with an actor and a critic that read it (Duan et al., 2016, RL²,
    https://arxiv.org/abs/1611.02779; Wang et al., 2016, https://arxiv.org/abs/1611.05763).

        m_t, h_t = memory(m_{t−1}, (o_t, a_{t−1}, r_{t−1}, d_{t−1})),   a_t ~ π(· | h_t),   V(h_t)

    Attributes:
        memory: reads what the policy is told.
        actor: from h_t to logits, or to the mean of a Gaussian.
        critic: from h_t to V.
        log_std: `[d]` of a Gaussian, in units of the limit, learned; `None` for whole numbers.
        kind: which actions there are.
        forgets: when memory is cleared.
        told: what it reads of a step, of the size of `Seen.flat()`.
        interface: what it acts in; `None` of a policy that was made without `create`.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> from quickstudy.nets.memory import GRU
        >>> trial = Trial(Bandit(arms=3), episodes=4)
        >>> policy = MetaPolicy.create(trial, GRU.create(trial.inputs, 8, key=jax.random.key(0)))
        >>> task = trial.environment.sample(jax.random.key(1))
        >>> _, seen = trial.begin(jax.random.key(2), task)
        >>> policy.think(policy.begin(task), seen)[1].value.shape
        ()
    """

    memory: Memory
    actor: Network
    # It reads what the actor reads. A critic that is told the MDP was tried: over seeds it gains
    # nothing, and with many arms it loses (results/LAB.md, bandits).
    critic: Network
    log_std: Float[Array, " d"] | None
    kind: Actions = eqx.field(static=True, kw_only=True)
    forgets: Forgets = eqx.field(static=True, default=between_tasks)
    told: Told = eqx.field(static=True, default=everything)
    interface: Interface | None = eqx.field(static=True, default=None, kw_only=True)

    @classmethod
    def create(
        cls,
        trial: Trial,
        memory: Memory,
        *,
        forgets: Forgets = between_tasks,
        told: Told = everything,
    ) -> "MetaPolicy":
        """A policy that finds all actions equally good at first.

        Args:
            trial: what it will act in.
            memory: reads inputs of the size `trial.inputs`.
            forgets: when memory is cleared.
            told: what it reads of a step.
        """
        actions = trial.environment.actions
        actor, critic = memory.readouts(actions.size)
        where, continuous = Interface.of(trial.environment), isinstance(actions, Continuous)
        log_std = jnp.full(actions.size, -0.5) if continuous else None
        return cls(memory, actor, critic, log_std, forgets, told, kind=actions, interface=where)

    def begin(self, task: MDP = None) -> State:
        """The memory that remembers nothing; the task stays hidden."""
        return self.memory.initial()

    def think(self, state: State, seen: Seen) -> tuple[State, Thought]:
        """Read what was seen at time t."""
        state = self.memory.clear(state, self.forgets(seen))
        state, h_t = self.memory.step(state, self.told(seen))
        return state, jax.tree.map(lambda x: x[0], self._heads(h_t[None]))

    def consider(self, state: State, seen: Seen) -> tuple[State, ActionDistribution]:
        """π(· | history) at time t."""
        state, thought = self.think(state, seen)
        return state, thought.actions

    def agent(self, *, greedy: bool = False, seed: int | np.integer = 0) -> Agent:
        """The policy in a loop of your own; arguments as `Agent` has them."""
        return Agent(self, self.interface, greedy=greedy, seed=seed)

    def act(self, state: State, seen: Seen, *, key: PRNGKeyArray) -> tuple[State, Action, Any]:
        """Act at time t, and note what was thought and done."""
        state, thought = self.think(state, seen)
        action = thought.actions.sample(key)
        return state, action, (thought.actions.log_prob(action), thought.value)

    def rethink(self, state: State | None, seen: Seen) -> Thought:
        """All of a sequence at once, `[time]`: equal to thinking step by step, from a state, or
        from the one that it begins with."""
        xs, forgets = jax.vmap(self.told)(seen), self.forgets(seen)
        if state is None:
            return self._heads(self.memory.whole(xs, forgets)[1])
        return self._heads(self.memory.sequence(state, xs, forgets)[1])

    def _heads(self, hs: Float[Array, "time h"]) -> Thought:
        actions = over_actions(self.kind, self.actor(hs), self.log_std)
        return Thought(actions, self.critic(hs)[:, 0])
