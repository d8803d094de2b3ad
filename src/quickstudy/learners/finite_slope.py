"""Inner rules that can be differentiated through, and those that cannot."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, PyTree

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.inner import InnerRule


def demand_finite_slope(rule: InnerRule, model: Any) -> None:
    """Raise `BadInput` for a rule that cannot be differentiated where a gradient is zero.

    It is the slope of `move` itself that counts, so rules may lie in one another: an optimiser
    inside `FirstOrder` has none, and passes.

    Args:
        rule: how θ moves.
        model: θ.
    """
    if not _finite_slope(rule, eqx.filter(model, eqx.is_inexact_array)):
        raise BadInput(
            "this rule's step has no finite slope where a gradient is zero, and the "
            "meta-gradient would be not-a-number; for Adam give eps_root, for example "
            "optax.adam(1e-3, eps_root=1e-8), or wrap the rule in FirstOrder"
        )


@compiled_once
def _finite_slope(rule: InnerRule, theta: PyTree) -> Bool[Array, ""]:
    def moved(gradient: PyTree) -> Any:
        end = rule.move(theta, gradient, rule.start(theta), 0)[0]
        return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(end))

    # At zero, for exact zeros are common: a rectifier that is off in every example has that
    # gradient.
    slope = jax.grad(moved)(jax.tree.map(jnp.zeros_like, theta))
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(slope)]))
