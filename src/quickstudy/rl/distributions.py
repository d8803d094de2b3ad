"""Distributions over actions: categorical for whole numbers, Gaussian for continuous ones."""

import abc
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.envs.environment import Action, Actions, Continuous, MultiDiscrete

# The logit of what cannot be chosen. Not −∞: its product with a probability of 0 is not a number.
NEVER = -1e9


class ActionDistribution(eqx.Module):
    """π(· | what was seen), of one action, or of as many as there are axes in front; `sample` is of
    one, and `vmap` makes more."""

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray) -> Action:
        """a ~ π. The key is consumed."""

    @abc.abstractmethod
    def log_prob(self, action: Action) -> Float[Array, "*batch"]:
        """log π(a), in nats."""

    @abc.abstractmethod
    def entropy(self) -> Float[Array, "*batch"]:
        """−E[log π], in nats."""

    @abc.abstractmethod
    def divergence(self, other: "ActionDistribution") -> Float[Array, "*batch"]:
        """KL(self ‖ other) = E_self[log self − log other], in nats."""

    @abc.abstractmethod
    def mode(self) -> Action:
        """The likeliest action."""


class Categorical(ActionDistribution):
    """Softmax over n actions.

    Attributes:
        logits: `[n]`, up to a constant; more axes in front are a batch, for `vmap`.

    Example:
        >>> round(float(Categorical(jnp.zeros(4)).entropy()), 4)
        1.3863
    """

    logits: Float[Array, "*batch n"]

    def sample(self, key: PRNGKeyArray) -> Int[Array, ""]:
        # One uniform number, where Gumbel noise would take n: random bits are what acting costs.
        cumulated = jnp.cumsum(jax.nn.softmax(self.logits))
        # The last sum may be off 1 by rounding, and a uniform number may lie between the two.
        drawn = jnp.sum(cumulated <= jax.random.uniform(key) * cumulated[-1])
        return jnp.minimum(drawn, self.logits.shape[-1] - 1).astype(jnp.int32)

    def log_prob(self, action: Action) -> Float[Array, "*batch"]:
        # A product with a one-hot row: its derivative is one, too, where an index's would scatter.
        chosen = jax.nn.one_hot(action, self.logits.shape[-1], dtype=self.logits.dtype)
        return jnp.sum(jax.nn.log_softmax(self.logits) * chosen, -1)

    def entropy(self) -> Float[Array, "*batch"]:
        logs = jax.nn.log_softmax(self.logits)
        return -jnp.sum(jnp.exp(logs) * logs, -1)

    def divergence(self, other: "Categorical") -> Float[Array, "*batch"]:  # pyright: ignore
        mine, theirs = jax.nn.log_softmax(self.logits), jax.nn.log_softmax(other.logits)
        return jnp.sum(jnp.exp(mine) * (mine - theirs), -1)

    def mode(self) -> Int[Array, ""]:
        return jnp.argmax(self.logits).astype(jnp.int32)


class Categoricals(ActionDistribution):
    """Independent choices: a softmax over the numbers of each, and log π of all is the sum.

    Attributes:
        logits: `[Σ choices]`, one choice after the other.
        choices: how many numbers each has.

    Example:
        >>> fair = Categoricals(jnp.zeros(5), (2, 3))
        >>> round(float(fair.entropy()), 4), fair.mode().tolist()
        (1.7918, [0, 0])
    """

    logits: Float[Array, "*batch n"]
    choices: tuple[int, ...] = eqx.field(static=True)

    def sample(self, key: PRNGKeyArray) -> Int[Array, " k"]:
        return jax.vmap(Categorical.sample)(self._each(), jax.random.split(key, len(self.choices)))

    def log_prob(self, action: Action) -> Float[Array, "*batch"]:
        return jnp.sum(self._each().log_prob(action), -1)

    def entropy(self) -> Float[Array, "*batch"]:
        return jnp.sum(self._each().entropy(), -1)

    def divergence(self, other: "Categoricals") -> Float[Array, "*batch"]:  # pyright: ignore
        return jnp.sum(self._each().divergence(other._each()), -1)

    def mode(self) -> Int[Array, " k"]:
        return jax.vmap(Categorical.mode)(self._each())

    def _each(self) -> Categorical:
        """All of them, `[*batch, k, most]`, filled up with numbers that are never chosen."""
        most, ends = max(self.choices), list(itertools.accumulate(self.choices))
        parts = jnp.split(self.logits, ends[:-1], -1)
        front = [(0, 0)] * (self.logits.ndim - 1)
        filled = [
            jnp.pad(part, [*front, (0, most - n)], constant_values=NEVER)
            for part, n in zip(parts, self.choices, strict=True)
        ]
        return Categorical(jnp.stack(filled, -2))


class Gaussian(ActionDistribution):
    """Independent normal coordinates; the log-probability of an action is the sum over them.

    Attributes:
        mean: `[d]`.
        log_std: `[d]`.

    Example:
        >>> round(float(Gaussian(jnp.zeros(2), jnp.zeros(2)).log_prob(jnp.zeros(2))), 4)
        -1.8379
    """

    mean: Float[Array, "*batch d"]
    log_std: Float[Array, "*batch d"]

    def sample(self, key: PRNGKeyArray) -> Float[Array, " d"]:
        return self.mean + jnp.exp(self.log_std) * jax.random.normal(key, self.mean.shape)

    def log_prob(self, action: Action) -> Float[Array, "*batch"]:
        z = (action - self.mean) * jnp.exp(-self.log_std)
        return jnp.sum(-0.5 * z**2 - self.log_std - 0.5 * jnp.log(2 * jnp.pi), -1)

    def entropy(self) -> Float[Array, "*batch"]:
        return jnp.sum(self.log_std + 0.5 * jnp.log(2 * jnp.pi * jnp.e), -1)

    def divergence(self, other: "Gaussian") -> Float[Array, "*batch"]:  # pyright: ignore
        ratio = jnp.exp(2 * (self.log_std - other.log_std))
        z = (self.mean - other.mean) * jnp.exp(-other.log_std)
        return jnp.sum(other.log_std - self.log_std + 0.5 * (ratio + z**2 - 1), -1)

    def mode(self) -> Float[Array, " d"]:
        return self.mean


def over_actions(
    kind: Actions, outputs: Float[Array, "*batch n"], log_std: Float[Array, " n"] | None
) -> ActionDistribution:
    """What a network's outputs say of actions.

    Args:
        kind: which actions there are.
        outputs: logits, or the mean of continuous actions in units of the limit.
        log_std: of continuous actions, in units of the limit.

    Example:
        >>> over_actions(Continuous(2, 0.5), jnp.ones(2), jnp.zeros(2)).mean.tolist()
        [0.5, 0.5]
    """
    if isinstance(kind, MultiDiscrete):
        return Categoricals(outputs, kind.choices)
    if not isinstance(kind, Continuous) or log_std is None:
        return Categorical(outputs)
    # In units of the limit: in navigation, whose limit is 0.1, a first policy was six times as
    # wide.
    spread = jnp.broadcast_to(log_std + jnp.log(kind.limit), outputs.shape)
    return Gaussian(outputs * kind.limit, spread)
