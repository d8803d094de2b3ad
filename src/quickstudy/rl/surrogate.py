"""What policies climb: how good actions were, times how much likelier they have become."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Scalar

from quickstudy.envs.environment import Action
from quickstudy.mesh import total
from quickstudy.rl.distributions import ActionDistribution

Gain = Callable[[Float[Array, "..."], Float[Array, "..."]], Float[Array, "..."]]
"""From ρ = π(a) / π_old(a) and A to what is climbed at that step."""


class Taken(NamedTuple):
    """Actions that were taken, with any axes, on each device its share.

    Attributes:
        action: a.
        log_prob: log π_old(a), when it was chosen.
        advantage: A, how good it was.
        real: which of them count.
    """

    action: Action
    log_prob: Float[Array, "..."]
    advantage: Float[Array, "..."]
    real: Bool[Array, "..."]

    @property
    def number(self) -> Scalar:
        """How many count, on all devices; at least 1."""
        return jnp.maximum(total(jnp.sum(self.real)), 1)

    def mean(self, each: Float[Array, "..."]) -> Scalar:
        """This device's share of the mean over those that count."""
        return jnp.sum(jnp.where(self.real, each, 0.0)) / self.number

    def surrogate(self, actions: ActionDistribution, gain: Gain = jnp.multiply) -> Scalar:
        """E[gain(ρ, A)], ρ = π(a) / π_old(a); this device's share.

        Args:
            actions: π, now.
            gain: ρ A, unless something else is climbed.
        """
        # Chosen before the exponential: where that overflows, its slope is not-a-number even if the
        # value is not used.
        change = jnp.where(self.real, actions.log_prob(self.action) - self.log_prob, 0.0)
        return self.mean(gain(jnp.exp(change), self.advantage))

    def divergence(self, old: ActionDistribution, now: ActionDistribution) -> Scalar:
        """E[KL(π_old ‖ π)]; this device's share."""
        return self.mean(old.divergence(now))


def clipped(clip: float) -> Gain:
    """min(ρ A, clip(ρ, 1 ± ε) A): no more is gained by what is already beyond 1 ± ε.

    Example:
        >>> float(clipped(0.25)(jnp.array(1.5), jnp.array(2.0)))
        2.5
    """

    def gain(ratio: Float[Array, "..."], advantage: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * advantage)

    return gain
