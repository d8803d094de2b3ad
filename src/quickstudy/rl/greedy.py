"""Acting without chance: what a policy finds likeliest."""

from typing import Any, Literal, Protocol, runtime_checkable

import equinox as eqx
from jaxtyping import PRNGKeyArray

from quickstudy.envs.environment import MDP, Action
from quickstudy.envs.interface import Interface
from quickstudy.nets.memory import State
from quickstudy.rl.distributions import ActionDistribution
from quickstudy.rl.trial import Seen

Acts = Literal["drawn", "greedy"]
"""Whether actions are drawn from the policy, or are the likeliest."""


def choose(actions: ActionDistribution, acts: Acts, key: PRNGKeyArray) -> Action:
    """An action of π(· | what was seen): drawn, or argmax_a π(a).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from quickstudy.rl.distributions import Gaussian
        >>> choose(Gaussian(jnp.array([0.5]), jnp.zeros(1)), "greedy", jax.random.key(0)).tolist()
        [0.5]
    """
    return actions.mode() if acts == "greedy" else actions.sample(key)


def acting(policy: "Considering", acts: Acts) -> Any:
    """A policy as it is to act."""
    return Greedy(policy) if acts == "greedy" else policy


@runtime_checkable
class Considering(Protocol):
    """A policy that says how likely it finds each action."""

    @property
    def interface(self) -> Interface | None:
        """What it acts in, if it knows that."""
        ...

    def begin(self, task: MDP) -> State:
        """The state before a trial's first step."""
        ...

    def consider(self, state: State, seen: Seen) -> tuple[State, ActionDistribution]:
        """The next state, and π(· | what was seen)."""
        ...


class Greedy(eqx.Module):
    """argmax_a π(a | what was seen): of a Gaussian its mean, of a softmax the largest logit.

    Attributes:
        policy: what says how likely actions are.

    Example:
        >>> import jax, quickstudy as qs
        >>> from quickstudy.evaluation.trials import evaluate_policy
        >>> trial = qs.Trial(qs.Navigation(), episodes=1)
        >>> policy = qs.Reactive.create(trial.environment, (8,), key=jax.random.key(0))
        >>> found = [
        ...     evaluate_policy(actor, trial, trials=4, key=jax.random.key(1)).policy.total.mean
        ...     for actor in (policy, Greedy(policy))
        ... ]
        >>> found[1] > found[0]  # it stands still, where noise leads away
        True
    """

    policy: Considering

    def begin(self, task: MDP = None) -> State:
        """The policy's."""
        return self.policy.begin(task)

    def act(self, state: State, seen: Seen, *, key: PRNGKeyArray) -> tuple[State, Action, Any]:
        """Act at time t. The key decides nothing."""
        state, actions = self.policy.consider(state, seen)
        return state, actions.mode(), None
