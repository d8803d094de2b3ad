"""Advantages in a trial, whose episodes are one whole to a policy that remembers."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def advantages(
    rewards: Float[Array, " time"],
    values: Float[Array, " time"],
    real: Bool[Array, " time"],
    discount: float,
    decay: float,
) -> Float[Array, " time"]:
    """Generalised advantages over a trial (Schulman et al., 2016, https://arxiv.org/abs/1506.02438).

        A_t = Σ_l (γλ)^l δ_{t+l},   δ_t = r_t + γ V_{t+1} − V_t

    The sum runs across the ends of episodes, for what is learned in one pays in the next; it stops
    at the end of the trial, behind which V is 0.

    Args:
        rewards: r_t.
        values: V_t.
        real: which steps the trial has; the others count for nothing.
        discount: γ.
        decay: λ.

    Example:
        >>> ones = jnp.ones(3)
        >>> advantages(ones, 0 * ones, ones > 0, 1.0, 1.0).tolist()
        [3.0, 2.0, 1.0]
    """
    # A critic says something of steps, too, that the trial does not have.
    values = jnp.where(real, values, 0.0)
    nexts = jnp.append(values[1:], 0.0)
    deltas = jnp.where(real, rewards + discount * nexts - values, 0.0)

    def back(after: Array, delta: Array) -> tuple[Array, Array]:
        now = delta + discount * decay * after
        return now, now

    return jax.lax.scan(back, jnp.zeros(()), deltas, reverse=True)[1]
