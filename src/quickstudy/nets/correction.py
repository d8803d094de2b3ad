"""A small trained layer on the features of a frozen network."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Scalar

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.nets.network import Linear

LEAST = 1e-6


class Correction(eqx.Module):
    """x ↦ s · u(v + W₂ relu(W₁ v)), where v = u(x) √d and u(x) = x / ‖x‖.

    W₂ starts at zero, so that training starts from the frozen features, all of length s: the
    cosine of two of them is what it was.

    Args:
        features: d.
        width: hidden units; with 0, features only get the length s.
        scale: s at the start; it is learned.
        extra: further inputs behind the features, such as CAVIA's context, which only the hidden
            units read.
        key: consumed.

    Raises:
        BadInput: a size that cannot be; or, where it is called, inputs that are no features.

    Example:
        >>> import numpy as np
        >>> layer = Correction(6, 4, scale=2.0, key=jax.random.key(0))
        >>> np.linalg.norm(layer(jnp.ones((3, 6))), axis=1).round(3).tolist()
        [2.0, 2.0, 2.0]

    Features pre-trained, then a metric meta-trained on them: Hu et al., 2022,
    https://arxiv.org/abs/2204.07305.
    """

    hidden: Linear | None
    back: Linear | None
    log_scale: Scalar
    features: int = eqx.field(static=True)

    def __init__(
        self, features: int, width: int, *, scale: float, extra: int = 0, key: PRNGKeyArray
    ):
        if width < (extra > 0) or scale <= 0:
            raise BadInput(
                f"width is {width} and scale is {scale}; give 0 or more hidden units, 1 or more "
                "where a context is read, and a length above 0"
            )
        self.features = features
        self.hidden = Linear.create(features + extra, width, key=key) if width else None
        self.back = Linear.zeros(width, features) if width else None
        self.log_scale = jnp.log(scale)

    @compiled_once
    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "n d"]:
        if x.ndim != 2 or x.shape[1] < self.features:
            raise BadInput(
                f"x is {list(x.shape)}, and this network reads [n, {self.features}] features of a "
                "pretrained network; give those, or for images FewShotClassifier.from_run(RUN)"
            )
        v = _unit(x[:, : self.features]) * jnp.sqrt(self.features)
        if self.hidden is not None and self.back is not None:
            read = jnp.concatenate([v, x[:, self.features :]], -1)
            v = v + self.back(jax.nn.relu(self.hidden(read)))
        return jnp.exp(self.log_scale) * _unit(v)


def _unit(x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    # Features of a blank image may all be 0, where a norm has no gradient.
    return x * jax.lax.rsqrt(jnp.sum(x**2, -1, keepdims=True) + LEAST)
