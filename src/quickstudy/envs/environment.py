"""The environment: a family of MDPs in which the task M_i is an argument, so `vmap` runs over MDPs.

M_i ~ p(M),   s_0 ~ ρ(M_i),   (s_{t+1}, r_t) ~ P(· | s_t, a_t, M_i)
"""

import abc
from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Num, PRNGKeyArray

from quickstudy.errors import BadInput, is_whole

Action = Num[Array, "..."]
Observation = Float[Array, "..."]
State = Any
MDP = Any


class Discrete(NamedTuple):
    """Actions 0 … n − 1, as whole numbers `[]`."""

    n: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an action."""
        return ()

    @property
    def size(self) -> int:
        """How many numbers `encode` gives."""
        return self.n

    def encode(self, action: Action) -> Float[Array, " n"]:
        """1 at the action, else 0."""
        return jax.nn.one_hot(action, self.n, dtype=jnp.float32)

    def draw(self, key: PRNGKeyArray) -> Action:
        """Any action, equally likely. The key is consumed."""
        return jax.random.randint(key, (), 0, self.n)


class MultiDiscrete(NamedTuple):
    """Several choices at once, `[k]`: the i-th is a whole number 0 … `choices[i]` − 1.

    Example:
        >>> MultiDiscrete((2, 3)).encode(jnp.array([1, 0])).tolist()
        [0.0, 1.0, 1.0, 0.0, 0.0]
    """

    choices: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an action."""
        return (len(self.choices),)

    @property
    def size(self) -> int:
        """How many numbers `encode` gives."""
        return sum(self.choices)

    def encode(self, action: Action) -> Float[Array, " n"]:
        """1 at what is chosen, else 0; one choice after the other."""
        which = np.repeat(np.arange(len(self.choices)), self.choices)
        number = np.concatenate([np.arange(n) for n in self.choices])
        return (jnp.asarray(action)[which] == number).astype(jnp.float32)

    def draw(self, key: PRNGKeyArray) -> Action:
        """Any action, equally likely. The key is consumed."""
        return jax.random.randint(key, self.shape, 0, jnp.array(self.choices))


class Continuous(NamedTuple):
    """Actions `[size]`, each within ± `limit`; an environment clips what lies beyond."""

    size: int
    limit: float = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an action."""
        return (self.size,)

    def encode(self, action: Action) -> Float[Array, " size"]:
        """The action itself, as the environment takes it."""
        return jnp.clip(action, -self.limit, self.limit)

    def draw(self, key: PRNGKeyArray) -> Action:
        """Any action, equally likely. The key is consumed."""
        return jax.random.uniform(key, (self.size,), minval=-self.limit, maxval=self.limit)


Actions = Discrete | MultiDiscrete | Continuous

MOST_CHOICES = 2**20
"""A policy has a number for each of them."""
WIDEST = 1.8e19
"""Of limits: their squares are finite in float32."""


def demand_drawable(actions: Actions, told: str) -> Actions:
    """The same actions.

    Args:
        actions: what may be done.
        told: what they are, as a message has it.

    Raises:
        BadInput: there is nothing to choose, or more than a policy can have numbers for; or they
            are made of something else than numbers.

    Example:
        >>> demand_drawable(Discrete(2**40), "actions are Discrete(2**40)")
        Traceback (most recent call last):
        quickstudy.errors.BadInput: actions are Discrete(2**40), of 1099511627776 choices ...
    """
    counts = actions.choices if isinstance(actions, MultiDiscrete) else actions[:1]
    if not isinstance(counts, Sequence) or not all(is_whole(n, 0) for n in counts):
        raise BadInput(
            f"{told}; give whole numbers: Discrete(n), MultiDiscrete((n, m)) or Continuous(size)"
        )
    if isinstance(actions, MultiDiscrete) and min(counts, default=1) < 1:
        raise BadInput(f"{told}, with nothing to choose in one place; give 1 or more for each")
    if not 1 <= actions.size <= MOST_CHOICES:
        raise BadInput(
            f"{told}, of {actions.size} choices or numbers; give 1 to {MOST_CHOICES}, for a policy "
            "has an output for each"
        )
    if isinstance(actions, Continuous) and not (
        isinstance(actions.limit, Real) and 0 < actions.limit <= WIDEST
    ):
        raise BadInput(
            f"{told}; give a limit above 0, of at most {WIDEST:g}, or 1 and scale the action"
        )
    return actions


class Picture(NamedTuple):
    """Numbers of an observation that are a picture, for a convolution to read.

    Attributes:
        start: the first of them, where the observation is one vector.
        shape: height, width, channels.
    """

    start: int
    shape: tuple[int, int, int]


class Step(NamedTuple):
    """What follows an action.

    Attributes:
        state: s_{t+1}.
        observation: of s_{t+1}.
        reward: r_t.
        done: whether the episode is over by the MDP's own rules; that its `horizon` is reached is
            for those to notice who count (`rl.trial`, Gymnasium's time limit).
    """

    state: State
    observation: Observation
    reward: Float[Array, ""]
    done: Bool[Array, ""]


class MDPFamily(eqx.Module):
    """A family of MDPs as policies know it, wherever they are stepped.

    Attributes:
        horizon: the most steps of an episode.
        version: of the definition; it rises with every change that can move a score, so that
            scores of one version compare.
    """

    version: ClassVar[int] = 1

    horizon: eqx.AbstractVar[int]

    @property
    def definition(self) -> str:
        """Which family this is, as evaluations note it: its name and version, as "Bandit-v1"."""
        return f"{type(self).__name__}-v{self.version}"

    @property
    @abc.abstractmethod
    def actions(self) -> Actions:
        """What may be done."""

    @property
    @abc.abstractmethod
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of an observation; `(0,)` where there is nothing to see."""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What of an observation a convolution is to read; by default nothing."""
        return ()


class Environment(MDPFamily):
    """A family of MDPs that are compiled. All methods are pure and of one task; `vmap` makes
    many."""

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray) -> MDP:
        """M_i ~ p(M): one task, a pytree of arrays. The key is consumed."""

    @abc.abstractmethod
    def reset(self, key: PRNGKeyArray, task: MDP) -> tuple[State, Observation]:
        """Begin an episode in the MDP `task`, which stays the same. The key is consumed."""

    @abc.abstractmethod
    def step(self, key: PRNGKeyArray, state: State, action: Action, task: MDP) -> Step:
        """Act. The key is consumed."""


def compiled(family: MDPFamily) -> Environment:
    """The family, whose MDPs are to be sampled and stepped in a compiled program.

    Raises:
        BadInput: it is stepped on the host.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> compiled(Bandit(arms=3)).horizon
        1
    """
    if isinstance(family, Environment):
        return family
    raise BadInput(
        f"a {type(family).__name__} is stepped on the host and cannot be compiled; train on it "
        "with RL2 or MAMLRL, and act by host_rollouts"
    )


def demand_actions(actions: Any, kind: Actions, copies: int) -> None:
    """Refuse actions that are not one for each copy, or no numbers.

    Raises:
        BadInput: says which shape they must have, or that the policy has diverged.

    Example:
        >>> demand_actions(np.zeros((4, 2)), Continuous(2), copies=4)
    """
    expected = (copies, *kind.shape)
    if np.shape(actions) != expected:
        raise BadInput(f"actions have the shape {np.shape(actions)}; give {expected}")
    demand_numbers(actions)


def demand_numbers(actions: Any) -> None:
    """Refuse a policy's actions that are no numbers.

    Raises:
        BadInput: says that the policy has diverged.

    Example:
        >>> demand_numbers(np.zeros(2))
    """
    if not np.isfinite(actions).all():
        raise BadInput(
            "the policy's actions are infinite or not-a-number: its training has diverged; lower "
            "the learning rate, or the inner one of a policy that adapts"
        )
