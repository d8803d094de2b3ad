"""The linear feature baseline: a value function fitted anew to every task's trajectories."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

RIDGE = 1e-5  # per step: in single precision an absolute one would be lost


def features(observations: Float[Array, "n time ..."]) -> Float[Array, "n time features"]:
    """(o, o², u, u², u³, 1) with u = t / 100, of observations clipped to ± 10 (Duan et al., 2016,
    https://arxiv.org/abs/1604.06778).

    Example:
        >>> features(jnp.zeros((1, 3, 2))).shape
        (1, 3, 8)
    """
    n, time = observations.shape[:2]
    o = jnp.clip(observations.reshape(n, time, -1), -10, 10)
    u = jnp.broadcast_to(jnp.arange(time)[None, :, None] / 100.0, (n, time, 1)).astype(o.dtype)
    return jnp.concatenate([o, o**2, u, u**2, u**3, jnp.ones_like(u)], -1)


def fitted(
    x: Float[Array, "n time features"],
    targets: Float[Array, "n time"],
    real: Bool[Array, "n time"],
) -> Float[Array, "n time"]:
    """V at every step: w · x, where w is the ridge regression of the targets on the features.

    Args:
        x: features.
        targets: what V should have been: discounted rewards to go.
        real: which steps count.
    """
    flat = jnp.where(real[..., None], x, 0.0).reshape(-1, x.shape[-1])
    ridge = RIDGE * flat.shape[0] * jnp.eye(x.shape[-1], dtype=x.dtype)
    weights = jnp.linalg.solve(
        flat.T @ flat + ridge, flat.T @ jnp.where(real, targets, 0.0).reshape(-1)
    )
    return x @ weights
