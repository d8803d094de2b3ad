"""Gradient descent on a support set, differentiable: the inner loop of MAML and its relatives."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from quickstudy.learners.losses import Loss
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples


def descend(model: Any, support: Examples, loss: Loss, rate: Any) -> Any:
    """One step, θ − α ∇L(θ, D^tr).

    Args:
        model: θ, any pytree that maps `[n, ...]` to `[n, outputs]`; its floating-point arrays move.
        support: D^tr.
        loss: L(outputs, y).
        rate: α.
    """

    def support_loss(model: Any) -> Any:
        return loss(model(support.x), support.y)

    gradient = eqx.filter_grad(support_loss)(model)
    return eqx.apply_updates(model, jax.tree.map(lambda g: -rate * g, gradient))


def descent(
    model: Any, support: Examples, loss: Loss, *, rate: Any, steps: int | None
) -> tuple[Any, PyTree]:
    """`steps` steps from θ_0 = `model`: θ_{j+1} = θ_j − α ∇L(θ_j, D^tr).

    Differentiable through every step, of any order, and in α too. Where there are several, each
    is recomputed on the way back, so memory does not grow with the activations of all steps.

    Args:
        model: θ_0.
        support: D^tr, the same for every step; or, where `steps` is None, one support set for
            each step, stacked on a first axis `[steps, n, ...]`.
        loss: L(outputs, y).
        rate: α.
        steps: k.

    Returns:
        θ_k, and the arrays of θ_0 … θ_{k−1} stacked on a first axis `[steps, ...]`.
    """
    start, rest = eqx.partition(model, eqx.is_inexact_array)
    each = support if steps is None else None

    def step(arrays: Any, own: Examples | None) -> tuple[Any, Any]:
        moved = descend(eqx.combine(arrays, rest), support if own is None else own, loss, rate)
        return eqx.filter(moved, eqx.is_inexact_array), arrays

    # A single step's activations are needed at once on the way back: recomputing them would only
    # take longer.
    body = step if steps == 1 else jax.checkpoint(step)
    end, passed = jax.lax.scan(body, start, each, length=steps)
    return eqx.combine(end, rest), passed


def predictors(end: Any, passed: PyTree, support: Examples) -> Any:
    """θ_0 … θ_k as one stacked predictor `[k + 1, ...]`, each conditioned on the support set."""
    last, rest = eqx.partition(end, eqx.is_inexact_array)
    arrays = jax.tree.map(lambda before, x: jnp.concatenate([before, x[None]]), passed, last)
    return jax.lax.map(lambda a: condition(eqx.combine(a, rest), support.x), arrays)
