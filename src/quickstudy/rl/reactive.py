"""A policy without memory: what it does depends on what it sees now, and on its weights."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.envs.environment import MDP, Action, Actions, Continuous, MDPFamily, State
from quickstudy.envs.interface import Interface
from quickstudy.errors import BadInput
from quickstudy.nets.conditioned import WithContext
from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Linear
from quickstudy.nets.sight import Sight
from quickstudy.rl.agent import Agent
from quickstudy.rl.distributions import ActionDistribution, over_actions
from quickstudy.rl.first_weights import FirstWeights, Glorot
from quickstudy.rl.trial import Seen

GLOROT = Glorot()


class Reactive(eqx.Module):
    """π(a | o) from a network: softmax over whole numbers, a Gaussian over continuous actions.

    A Gaussian is measured in units of the environment's limit, so that a mean of 1 is the most that
    can be done; its standard deviation is learned, and the same everywhere.

    Attributes:
        body: from `[n, inputs]` to features; may read a context, too, which then is what adapts
            (`context_of`).
        head: to logits, or to the mean.
        log_std: `[d]` of a Gaussian, in units of the limit; `None` for whole numbers.
        kind: which actions there are.
        interface: what it acts in; `None` of a policy that was made without `create`.
        sight: reads pictures before the body does; `None` where there are none.

    Example:
        >>> from quickstudy.envs.navigation import Navigation
        >>> policy = Reactive.create(Navigation(), (8,), key=jax.random.key(0))
        >>> policy.actions(jnp.zeros((5, 2))).mean.shape
        (5, 2)
    """

    body: MLP | WithContext
    head: Linear
    log_std: Float[Array, " d"] | None
    kind: Actions = eqx.field(static=True)
    interface: Interface | None = eqx.field(static=True, default=None)
    sight: Sight | None = None

    @classmethod
    def create(
        cls,
        environment: MDPFamily,
        widths: tuple[int, ...],
        *,
        key: PRNGKeyArray,
        first: FirstWeights = GLOROT,
    ) -> "Reactive":
        """A policy.

        Args:
            environment: what it will act in.
            widths: of the hidden layers.
            key: consumed.
            first: how its weights are drawn.
        """
        sight = _sight(environment, widths[0], key)
        body = first.body(_inputs(environment, sight), widths, key=key)
        head = first.head(widths[-1], environment.actions.size, key=jax.random.fold_in(key, 0))
        return cls._headed(environment, body, head, sight)

    @classmethod
    def with_context(
        cls,
        environment: MDPFamily,
        widths: tuple[int, ...],
        size: int,
        *,
        key: PRNGKeyArray,
        first: FirstWeights = GLOROT,
    ) -> "Reactive":
        """A policy whose first layer also reads a context, zeros at first.

        Args:
            environment: what it will act in.
            widths: of the hidden layers.
            size: of the context.
            key: consumed.
            first: how its weights are drawn.

        Example:
            >>> from quickstudy.envs.navigation import Navigation
            >>> policy = Reactive.with_context(Navigation(), (8,), 5, key=jax.random.key(0))
            >>> context_of(policy).shape
            (5,)
        """
        body_key, head_key = jax.random.split(key)
        sight = _sight(environment, widths[0], body_key)
        network = first.body(_inputs(environment, sight) + size, widths, key=body_key)
        head = first.context_head(widths[-1], environment.actions.size, key=head_key)
        return cls._headed(environment, WithContext(network, jnp.zeros(size)), head, sight)

    @classmethod
    def _headed(
        cls, environment: MDPFamily, body: MLP | WithContext, head: Linear, sight: Sight | None
    ) -> "Reactive":
        actions = environment.actions
        # A standard deviation of 1; 0.3 and 2 were tried in navigation, and did no better.
        log_std = jnp.zeros(actions.size) if isinstance(actions, Continuous) else None
        return cls(body, head, log_std, actions, Interface.of(environment), sight)

    def actions(self, observations: Float[Array, "n ..."]) -> ActionDistribution:
        """π(· | o) of n observations, as a batch of distributions."""
        x = observations.reshape(observations.shape[0], -1)
        x = x if x.shape[1] else jnp.ones((x.shape[0], 1))
        x = x if self.sight is None else self.sight(x)
        return over_actions(self.kind, self.head(self.body(x)), self.log_std)

    def begin(self, task: MDP = None) -> State:
        """Nothing to remember."""
        return None

    def consider(self, state: State, seen: Seen) -> tuple[State, ActionDistribution]:
        """π(· | o_t)."""
        return state, jax.tree.map(lambda x: x[0], self.actions(seen.observation[None]))

    def agent(self, *, greedy: bool = False, seed: int | np.integer = 0) -> Agent:
        """The policy in a loop of your own; arguments as `Agent` has them."""
        return Agent(self, self.interface, greedy=greedy, seed=seed)

    def act(self, state: State, seen: Seen, *, key: PRNGKeyArray) -> tuple[State, Action, Any]:
        """Act at time t, and note log π of it. The key is consumed."""
        one = self.consider(state, seen)[1]
        action = one.sample(key)
        return state, action, one.log_prob(action)


def context_of(policy: Reactive) -> Any:
    """What the body reads beside the observation.

    Raises:
        BadInput: it reads nothing else; `Reactive.with_context` makes one that does.
    """
    if isinstance(policy.body, WithContext):
        return policy.body.context
    raise BadInput("this policy reads no context; make it with Reactive.with_context")


def _sight(environment: MDPFamily, size: int, key: PRNGKeyArray) -> Sight | None:
    """What reads pictures, each into so many features, with a key of its own."""
    if not environment.pictures:
        return None
    return Sight.create(environment.pictures, size, key=jax.random.fold_in(key, 1))


def _inputs(environment: MDPFamily, sight: Sight | None) -> int:
    """What a body reads of an observation; a constant where there is nothing to see."""
    observed = math.prod(environment.observation_shape)
    return max(observed, 1) if sight is None else sight.features(observed)
