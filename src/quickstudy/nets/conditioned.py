"""A network that reads a context vector beside its inputs: what CAVIA adapts."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from quickstudy.compiling import compiled_once
from quickstudy.nets.network import condition


class WithContext(eqx.Module):
    """x ↦ f(x ‖ c): the same context for all inputs, at every position of an image.

    Attributes:
        network: f, from `[n, inputs + size]`, or from images `[n, h, w, channels + size]`.
        context: c, `[size]`.

    Example:
        >>> import jax, quickstudy as qs
        >>> network = qs.MLP(2 + 5, (8, 1), key=jax.random.key(0))
        >>> WithContext(network, jnp.zeros(5))(jnp.ones((3, 2))).shape
        (3, 1)
    """

    network: Any
    context: Float[Array, " size"]

    @compiled_once
    def __call__(self, x: Float[Array, "n ... inputs"]) -> Float[Array, "n ..."]:
        return self.network(self._beside(x))

    def condition(self, x: Float[Array, "n ... inputs"]) -> "WithContext":
        """Let the network see the support inputs."""
        return WithContext(condition(self.network, self._beside(x)), self.context)

    def _beside(self, x: Float[Array, "n ... inputs"]) -> Float[Array, "n ... both"]:
        context = jnp.broadcast_to(self.context, (*x.shape[:-1], self.context.size))
        return jnp.concatenate([x, context], -1)
