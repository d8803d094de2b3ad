"""Linear systems given by products alone: A x = b, for implicit MAML and trust regions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import PyTree


class LinearSolution(NamedTuple):
    """What conjugate gradients found.

    Attributes:
        x: A x ≈ b.
        residual: b − A x, which comes for nothing: A x is known without another product.
    """

    x: PyTree
    residual: PyTree


def conjugate_gradients(
    operator: Callable[[PyTree], PyTree], b: PyTree, steps: int
) -> LinearSolution:
    """x with A x ≈ b after `steps` steps from x = 0 (Hestenes & Stiefel, 1952,
    https://doi.org/10.6028/jres.049.044), for a symmetric A.

    Always as many steps, so that one program fits all problems. A is meant to be positive
    definite; where it turns out not to be, at the first direction p with pᵀ A p ≤ 0, x stays as it
    was found by then (Steihaug, 1983, https://doi.org/10.1137/0720042), and is b if that is the
    first one.

    Args:
        operator: v ↦ A v, on pytrees of b's structure.
        b: a pytree of arrays.
        steps: how many products.

    Example:
        >>> A = jnp.array([[2.0, 1.0], [1.0, 3.0]])
        >>> conjugate_gradients(lambda v: A @ v, jnp.array([3.0, 4.0]), 2).x.round(3).tolist()
        [1.0, 1.0]
    """

    def step(carry: Any, number: Any) -> tuple[Any, None]:
        x, r, p, rr = carry
        ap = operator(p)
        curvature = dot(p, ap)
        goes_on = curvature > 0
        # Once the residual is nothing there is nowhere left to go: 0 / 0 must not spoil x.
        length = jnp.where(goes_on, rr / jnp.where(goes_on, curvature, 1.0), 0.0)
        # Where not even the first direction curves up, b itself is the direction left to go.
        stays = jnp.where(~goes_on & (number == 0), 1.0, length)
        x, r = _along(x, stays, p), _along(r, -stays, ap)
        now = dot(r, r)
        turn = now / jnp.where(rr > 0, rr, 1.0)
        p = jax.tree.map(lambda r, p: jnp.where(goes_on, r + turn * p, p), r, p)
        return (x, r, p, now), None

    # Directions stay conjugate only if products are exact to rounding, on GPUs too.
    with jax.default_matmul_precision("highest"):
        start = (jax.tree.map(jnp.zeros_like, b), b, b, dot(b, b))
        x, residual, _, _ = jax.lax.scan(step, start, jnp.arange(steps))[0]
    return LinearSolution(x, residual)


def dot(u: PyTree, v: PyTree) -> Any:
    """uᵀ v of two pytrees of one structure."""
    return sum(jnp.vdot(x, y) for x, y in zip(*map(jax.tree.leaves, (u, v)), strict=True))


def _along(x: PyTree, length: Any, p: PyTree) -> PyTree:
    return jax.tree.map(lambda x, p: x + length * p, x, p)
