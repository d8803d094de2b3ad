"""A network that computes in bfloat16, with weights in float32."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from quickstudy.nets.network import condition


class MixedPrecision(eqx.Module):
    """A network whose products and activations are bfloat16: on accelerators half the memory, and
    several times the speed of float32.

        y = f_{bf16(θ)}(bf16(x)),   ∂y/∂θ through the rounding as if it were the identity

    Weights, their gradients and inner steps stay float32, as an outer step of 0.001 would be lost
    in a bfloat16's 8 bits; outputs are float32, so that losses and distances are.

    Attributes:
        network: any network `[n, ...]` → `[n, ...]`, of one array.

    Example:
        >>> from quickstudy.nets.mlp import MLP
        >>> network = MixedPrecision(MLP(3, (8, 2), key=jax.random.key(0)))
        >>> network(jnp.ones((4, 3))).dtype
        dtype('float32')

    References:
        Micikevicius et al., 2018, Mixed precision training, https://arxiv.org/abs/1710.03740
    """

    network: Any

    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        """The network's outputs, of the type of `x`."""
        return _cast(self.network, jnp.bfloat16)(x.astype(jnp.bfloat16)).astype(x.dtype)

    def condition(self, x: Float[Array, "n ..."]) -> "MixedPrecision":
        """The network to use on queries, after the support inputs `x` were seen."""
        seen = condition(_cast(self.network, jnp.bfloat16), x.astype(jnp.bfloat16))
        # Weights pass through bfloat16 here, which changes nothing of what queries are given: they
        # are rounded there in any case.
        return MixedPrecision(_cast(seen, x.dtype))


def _cast(tree: Any, kind: Any) -> Any:
    return jax.tree.map(lambda a: a.astype(kind) if eqx.is_inexact_array(a) else a, tree)
