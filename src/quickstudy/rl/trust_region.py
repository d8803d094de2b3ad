"""One step of trust-region policy optimisation (Schulman et al., 2015,
https://arxiv.org/abs/1502.05477), whatever is improved and whatever is kept near."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.flatten_util
import jax.numpy as jnp
from jaxtyping import Array, PyTree, Scalar

from quickstudy.conjugate_gradients import conjugate_gradients
from quickstudy.errors import demand_counts, demand_positive
from quickstudy.mesh import total

SHORTER = 0.8  # what each length is of the one before

OnShare = Callable[..., Scalar]
"""This device's share of a mean: the mean is the sum of all."""


@dataclass(frozen=True)
class TrustRegion:
    """How far, and how it is found.

    Attributes:
        radius: δ, in nats.
        damping: added to F's diagonal.
        iterations: of conjugate gradients.
        backtracks: lengths that are tried, each 0.8 of the one before.

    Raises:
        BadInput: a radius that is not positive, or nothing to try.
    """

    radius: float = 0.01
    damping: float = 0.1
    iterations: int = 10
    backtracks: int = 10

    def __post_init__(self) -> None:
        demand_positive(radius=self.radius)
        demand_counts(iterations=self.iterations, backtracks=self.backtracks)


class Nearness(NamedTuple):
    """What is to stay near.

    Attributes:
        outputs: from parameters to distributions, say: what takes time.
        divergence: of outputs as they were from outputs as they are; where both are the same it is
            zero and has no slope, as KL(π_old ‖ π).
    """

    outputs: Callable[[PyTree], PyTree]
    divergence: OnShare


class RegionProblem(NamedTuple):
    """What is to rise, and what is to stay near meanwhile.

    Attributes:
        outputs: of `Nearness`.
        surrogate: from outputs; to be raised.
        divergence: of `Nearness`.
        sample: the same nearness on some of the data, from which F is estimated; by default all.
            F only chooses a direction, and conjugate gradients ask for many of its products, so
            that a share of the data serves (Schulman et al., 2015, appendix C); whether a step is
            within the region is measured on all.
    """

    outputs: Callable[[PyTree], PyTree]
    surrogate: OnShare
    divergence: OnShare
    sample: Nearness | None = None


class Linearised(NamedTuple):
    """Outputs at θ with their Jacobian J, taken once for all of its products: none of them repeats
    what the outputs take, which with MAML is a whole adaptation.

    Attributes:
        outputs: at θ.
        push: v ↦ J v.
        pull: u ↦ Jᵀ u.
    """

    outputs: PyTree
    push: Callable[[PyTree], PyTree]
    pull: Callable[[PyTree], PyTree]

    @classmethod
    def at(cls, parameters: PyTree, outputs: Callable[[PyTree], PyTree]) -> "Linearised":
        """θ, and what is linearised there.

        Example:
            >>> here = Linearised.at(3.0, lambda x: x**2)
            >>> [float(y) for y in (here.outputs, here.push(1.0), here.pull(1.0))]
            [9.0, 6.0, 6.0]
        """
        values, push = jax.linearize(outputs, parameters)
        transposed = jax.linear_transpose(push, parameters)
        return cls(values, push, lambda u: transposed(u)[0])


def trust_region_step(
    parameters: PyTree, problem: RegionProblem, region: TrustRegion
) -> tuple[PyTree, dict[str, Scalar]]:
    """The longest step up the surrogate, along the natural gradient, within the trust region.

        step = √(2δ / xᵀFx) x,   F x = ∇surrogate,   F = ∇² divergence

    shortened until the surrogate rises and the true divergence is at most δ. If no length does, or
    xᵀFx is not positive, the parameters stay as they were and the metric `accepted` is 0. Where the
    curvature turns non-positive only along a later direction of conjugate gradients, x is what was
    found before it, a natural gradient in the directions that do curve; its step is held to the
    same two conditions.

    Args:
        parameters: θ, of floating-point arrays.
        problem: what rises, and what stays near.
        region: δ, and the search.
    """
    here = Linearised.at(parameters, problem.outputs)
    share, slope = jax.value_and_grad(problem.surrogate)(here.outputs)
    before, gradient = total((share, here.pull(slope)))
    flat, unflatten = jax.flatten_util.ravel_pytree(gradient)
    fisher = fisher_product(*_for_fisher(parameters, problem, here))

    def product(x: Array) -> Array:
        return jax.flatten_util.ravel_pytree(fisher(unflatten(x)))[0] + region.damping * x

    x, residual = conjugate_gradients(product, flat, region.iterations)
    # A x is b less the residual, so that xᵀ(F + damping) x takes no further product.
    curvature = x @ (flat - residual)
    longest = jnp.sqrt(2 * region.radius / jnp.where(curvature > 0, curvature, jnp.nan))

    def attempt(tried: Any) -> Any:
        number, (best, _, nearest) = tried
        there = jax.tree.map(jnp.add, parameters, unflatten(SHORTER**number * longest * x))
        now = problem.outputs(there)
        gain, apart = total((problem.surrogate(now), problem.divergence(here.outputs, now)))
        # Comparisons with not-a-number are false: a step that is none is not accepted.
        good = (gain > before) & (apart <= region.radius)
        best = jax.tree.map(lambda a, b: jnp.where(good, a, b), there, best)
        return number + 1, (best, good, jnp.where(good, apart, nearest))

    def wanted(tried: Any) -> Array:
        number, (_, accepted, _) = tried
        return (number < region.backtracks) & ~accepted

    start = (parameters, jnp.zeros((), bool), jnp.zeros_like(before))
    # Ends with the first length that is accepted: each one tried costs all tasks' adaptation.
    _, (found, accepted, apart) = jax.lax.while_loop(wanted, attempt, (jnp.zeros(()), start))
    metrics = {"loss": -before, "kl": apart, "accepted": accepted.astype(jnp.float32)}
    return found, {**metrics, "gradient_norm": jnp.linalg.norm(flat)}


def _for_fisher(
    parameters: PyTree, problem: RegionProblem, here: Linearised
) -> tuple[Linearised, OnShare]:
    if problem.sample is None:
        return here, problem.divergence
    return Linearised.at(parameters, problem.sample.outputs), problem.sample.divergence


def fisher_product(here: Linearised, divergence: OnShare) -> Callable[[PyTree], PyTree]:
    """v ↦ F v over all devices, F = Jᵀ M J.

    M is the divergence's Hessian by the outputs; as the divergence has no slope at θ, F is its
    Hessian by the parameters.
    """
    slope = jax.grad(lambda now: divergence(here.outputs, now))

    def product(v: PyTree) -> PyTree:
        curved = jax.jvp(slope, (here.outputs,), (here.push(v),))[1]
        return total(here.pull(curved))

    return product
