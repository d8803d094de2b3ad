"""One step of trust-region policy optimisation (Schulman et al., 2015,
https://arxiv.org/abs/1502.05477), whatever is improved and whatever is kept near."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.flatten_util
import jax.numpy as jnp
from jaxtyping import Array, PyTree, Scalar

from quickstudy.conjugate_gradients import conjugate_gradients
from quickstudy.mesh import total

SHORTER = 0.8  # what each length is of the one before

Share = Callable[[PyTree], Scalar]
"""This device's share of a mean, as a function of the parameters: the mean is the sum of all."""


class TrustRegion(NamedTuple):
    """How far, and how it is found.

    Attributes:
        radius: δ, in nats.
        damping: added to F's diagonal.
        iterations: of conjugate gradients.
        backtracks: lengths that are tried, each 0.8 of the one before.
    """

    radius: float = 0.01
    damping: float = 0.1
    iterations: int = 10
    backtracks: int = 10


class Kept(NamedTuple):
    """What is to stay near: a divergence of outputs.

    Attributes:
        outputs: from parameters to distributions, say.
        divergence: from those, this device's share of the mean divergence from what they were;
            zero there, and without a slope, as KL(π_old ‖ π) is.
    """

    outputs: Callable[[PyTree], PyTree]
    divergence: Share


def trust_region_step(
    parameters: PyTree, surrogate: Share, kept: Kept, region: TrustRegion
) -> tuple[PyTree, dict[str, Scalar]]:
    """The longest step up the surrogate, along the natural gradient, within the trust region.

        step = √(2δ / xᵀFx) x,   F x = ∇surrogate,   F = ∇² divergence

    shortened until the surrogate rises and the true divergence is at most δ. If no length does, or
    xᵀFx is not positive, the parameters stay as they were and the metric `accepted` is 0.

    Args:
        parameters: θ, of floating-point arrays.
        surrogate: to be raised.
        kept: what is to stay near.
        region: δ, and the search.
    """
    before, gradient = total(jax.value_and_grad(surrogate)(parameters))
    flat, unflatten = jax.flatten_util.ravel_pytree(gradient)
    fisher = fisher_product(parameters, kept)

    def product(x: Array) -> Array:
        return jax.flatten_util.ravel_pytree(fisher(unflatten(x)))[0] + region.damping * x

    x = conjugate_gradients(product, flat, region.iterations)
    curvature = x @ product(x)
    longest = jnp.sqrt(2 * region.radius / jnp.where(curvature > 0, curvature, jnp.nan))

    def attempt(tried: Any) -> Any:
        number, (best, _, nearest) = tried
        there = jax.tree.map(jnp.add, parameters, unflatten(SHORTER**number * longest * x))
        gain, apart = total((surrogate(there), kept.divergence(kept.outputs(there))))
        # Comparisons with not-a-number are false: a step that is none is not accepted.
        good = (gain > before) & (apart <= region.radius)
        best = jax.tree.map(lambda a, b: jnp.where(good, a, b), there, best)
        return number + 1, (best, good, jnp.where(good, apart, nearest))

    def wanted(tried: Any) -> Array:
        number, (_, accepted, _) = tried
        return (number < region.backtracks) & ~accepted

    start = (parameters, jnp.zeros((), bool), jnp.zeros_like(before))
    _, (found, accepted, apart) = jax.lax.while_loop(wanted, attempt, (jnp.zeros(()), start))
    metrics = {"loss": -before, "kl": apart, "accepted": accepted.astype(jnp.float32)}
    return found, {**metrics, "gradient_norm": jnp.linalg.norm(flat)}


def fisher_product(parameters: PyTree, kept: Kept) -> Callable[[PyTree], PyTree]:
    """v ↦ F v over all devices, F = Jᵀ M J.

    J is the outputs' Jacobian and M the divergence's Hessian by the outputs; as the divergence has
    no slope at θ, F is its Hessian by the parameters. J is linearised once for all products, so
    that none repeats what the outputs take: with MAML, a whole adaptation.
    """
    outputs, push = jax.linearize(kept.outputs, parameters)
    pull = jax.linear_transpose(push, parameters)

    def product(v: PyTree) -> PyTree:
        curved = jax.jvp(jax.grad(kept.divergence), (outputs,), (push(v),))[1]
        return total(pull(curved)[0])

    return product
