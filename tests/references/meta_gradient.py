"""g_MAML the slow and plain way, and wrong in the ways that people get it wrong.

All of it works on one flat vector θ, with the losses given as functions: `support(θ, j)` is
L(θ, D_j), `query(θ)` is L^ts(θ). Nothing here uses quickstudy.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Problem(NamedTuple):
    """One inner loop: θ_0, α, k, and what each step and the query set demand.

    `outputs(θ, j)` and `output_loss(outputs, j)` compose to `support(θ, j)`.
    """

    start: Any
    rate: float
    steps: int
    support: Callable[[Any, int], Any]
    query: Callable[[Any], Any]
    outputs: Callable[[Any, int], Any]
    output_loss: Callable[[Any, int], Any]

    def path(self, start: Any = None, rate: float | None = None) -> list:
        """θ_0 … θ_k."""
        thetas = [self.start if start is None else start]
        step = self.rate if rate is None else rate
        for j in range(self.steps):
            thetas.append(thetas[-1] - step * gradient(self.support)(thetas[-1], j))
        return thetas

    def query_gradient(self) -> Any:
        return gradient(self.query)(self.path()[-1])

    def backwards(self, multiply: Callable[[int, Any], Any], rate: float | None = None) -> Any:
        """∇L^ts(θ_k), then v ← v − α · multiply(j, v) for j = k−1 … 0."""
        v = self.query_gradient()
        for j in reversed(range(self.steps)):
            v = v - (self.rate if rate is None else rate) * multiply(j, v)
        return v


# One compilation per loss and kind of derivative, whatever the number of steps.


@functools.cache
def gradient(f: Callable) -> Callable:
    return jax.jit(jax.grad(f))


@functools.cache
def hessian(f: Callable) -> Callable:
    return jax.jit(jax.jacfwd(jax.jacrev(f)))


@functools.cache
def derivative_of_gradient(f: Callable) -> Callable:
    """∂/∂ε ∇f(θ + εv): forward over reverse."""
    return jax.jit(lambda theta, j, v: jax.jvp(lambda t: jax.grad(f)(t, j), (theta,), (v,))[1])


@functools.cache
def gradient_of_slope(f: Callable) -> Callable:
    """∇⟨∇f(θ), v⟩: reverse over reverse."""
    return jax.jit(lambda theta, j, v: jax.grad(lambda t: jax.grad(f)(t, j) @ v)(theta))


@functools.cache
def gauss_newton_product(outputs: Callable, output_loss: Callable) -> Callable:
    """JᵀΛJ v with Λ the Hessian of the loss in the outputs."""

    def multiply(theta: Any, j: int, v: Any) -> Any:
        at, forward = jax.linearize(lambda t: outputs(t, j), theta)
        curved = jax.jvp(jax.grad(lambda o: output_loss(o, j)), (at,), (forward(v),))[1]
        return jax.linear_transpose(forward, v)(curved)[0]

    return jax.jit(multiply)


# --- Right, four times. ---


def dense(p: Problem) -> Any:
    """(I − αH_0) (I − αH_1) … (I − αH_{k−1}) ∇L^ts(θ_k), with every matrix written out."""
    product = jnp.eye(len(p.start))
    for j, theta in enumerate(p.path()[:-1]):
        product = product @ (jnp.eye(len(p.start)) - p.rate * hessian(p.support)(theta, j))
    return product @ p.query_gradient()


def forward_over_reverse(p: Problem) -> Any:
    thetas = p.path()
    return p.backwards(lambda j, v: derivative_of_gradient(p.support)(thetas[j], j, v))


def reverse_over_reverse(p: Problem) -> Any:
    thetas = p.path()
    return p.backwards(lambda j, v: gradient_of_slope(p.support)(thetas[j], j, v))


def central_difference(p: Problem, direction: Any, width: float) -> Any:
    """(F(θ + hu) − F(θ − hu)) / 2h for F(θ) = L^ts(θ_k(θ)): no derivative of a derivative."""
    ahead, behind = (
        p.query(p.path(start=p.start + sign * width * direction)[-1]) for sign in (1, -1)
    )
    return (ahead - behind) / (2 * width)


# --- The derivative in α. ---


def rate_gradient(p: Problem) -> Any:
    """∂L^ts(θ_k)/∂α by ∂θ_{j+1}/∂α = (I − αH_j) ∂θ_j/∂α − ∇L(θ_j, D_j)."""
    moved = jnp.zeros_like(p.start)
    for j, theta in enumerate(p.path()[:-1]):
        bent = hessian(p.support)(theta, j) @ moved
        moved = moved - p.rate * bent - gradient(p.support)(theta, j)
    return p.query_gradient() @ moved


def rate_central_difference(p: Problem, width: float) -> Any:
    ahead, behind = (p.query(p.path(rate=p.rate + sign * width)[-1]) for sign in (1, -1))
    return (ahead - behind) / (2 * width)


def first_order_rate_gradient(p: Problem) -> Any:
    """Wrong on purpose: as if the gradients of later steps did not depend on α."""
    gradients = [gradient(p.support)(theta, j) for j, theta in enumerate(p.path()[:-1])]
    return -p.query_gradient() @ sum(gradients)


# --- Wrong on purpose: a check that lets one of these pass is no check. ---


def first_order(p: Problem) -> Any:
    return p.query_gradient()


def hessian_one_step_late(p: Problem) -> Any:
    thetas = p.path()
    return p.backwards(lambda j, v: derivative_of_gradient(p.support)(thetas[j + 1], j, v))


def hessian_at_the_start(p: Problem) -> Any:
    return p.backwards(lambda j, v: derivative_of_gradient(p.support)(p.start, j, v))


def hessian_of_another_batch(p: Problem) -> Any:
    thetas = p.path()
    return p.backwards(lambda j, v: derivative_of_gradient(p.support)(thetas[j], j + 1, v))


def reversed_product(p: Problem) -> Any:
    v = p.query_gradient()
    for j, theta in enumerate(p.path()[:-1]):
        v = v - p.rate * derivative_of_gradient(p.support)(theta, j, v)
    return v


def gauss_newton(p: Problem) -> Any:
    thetas, multiply = p.path(), gauss_newton_product(p.outputs, p.output_loss)
    return p.backwards(lambda j, v: multiply(thetas[j], j, v))


def rate_off_by_two_percent(p: Problem) -> Any:
    thetas = p.path()
    multiply = derivative_of_gradient(p.support)
    return p.backwards(lambda j, v: multiply(thetas[j], j, v), rate=1.02 * p.rate)


def first_step_left_out(p: Problem) -> Any:
    thetas, multiply = p.path(), derivative_of_gradient(p.support)
    return p.backwards(lambda j, v: multiply(thetas[j], j, v) if j else jnp.zeros_like(v))


# With the number of steps from which each is wrong at all.
WRONG = {
    first_order: 1,
    hessian_one_step_late: 1,
    hessian_at_the_start: 2,
    hessian_of_another_batch: 1,
    reversed_product: 2,
    gauss_newton: 1,
    rate_off_by_two_percent: 1,
    first_step_left_out: 1,
}


def relative_error(found: Any, wanted: Any) -> float:
    found, wanted = np.asarray(found), np.asarray(wanted)
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
