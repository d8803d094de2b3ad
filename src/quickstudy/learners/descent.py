"""Descent on a support set, differentiable: the inner loop of MAML and its relatives."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from quickstudy.errors import BadInput, is_whole
from quickstudy.inner import InnerRule
from quickstudy.learners.losses import Loss, loss_on
from quickstudy.learners.recomputing import recomputed
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples


def support_gradient(model: Any, support: Examples, loss: Loss) -> Any:
    """∇L(θ, D^tr), of the model's structure.

    Args:
        model: θ, any pytree that maps `[n, ...]` to `[n, outputs]`; its floating-point arrays move.
        support: D^tr.
        loss: L(outputs, y).
    """
    return eqx.filter_grad(lambda model: loss_on(loss, model(support.x), support))(model)


def descent(
    model: Any, support: Examples, loss: Loss, *, rule: InnerRule, steps: int | None
) -> tuple[Any, PyTree]:
    """As `descent_with_state`, without the rule's state."""
    end, _, passed = descent_with_state(model, support, loss, rule=rule, steps=steps)
    return end, passed


def descent_with_state(
    model: Any, support: Examples, loss: Loss, *, rule: InnerRule, steps: int | None
) -> tuple[Any, PyTree, PyTree]:
    """`steps` steps from θ_0 = `model`: with plain descent, θ_{j+1} = θ_j − α ∇L(θ_j, D^tr).

    Differentiable through every step, of any order, and in what the rule has learned. Where
    there are several, each is recomputed on the way back, so memory does not grow with the
    activations of all steps.

    Args:
        model: θ_0, unless the rule begins elsewhere.
        support: D^tr, the same for every step; or, where `steps` is None, one support set for
            each step, stacked on a first axis `[steps, n, ...]`, of the same classes.
        loss: L(outputs, y).
        rule: how θ moves.
        steps: k.

    Returns:
        θ_k, the rule's state after it, and the arrays of θ_0 … θ_{k−1} stacked on a first axis
        `[steps, ...]`.

    Raises:
        BadInput: fewer than 0 steps, or part of one.
    """
    if steps is not None and not is_whole(steps, 0):
        raise BadInput(f"the inner loop has {steps} steps; give a whole number of 0 or more")
    arrays, rest = eqx.partition(model, eqx.is_inexact_array)
    start = rule.begin(arrays)
    each = support if steps is None else None
    count = support.x.shape[0] if steps is None else steps

    def step(carry: Any, now: tuple[Any, Examples | None]) -> tuple[Any, Any]:
        (arrays, state), (j, own) = carry, now
        data = support if own is None else own
        gradient = support_gradient(eqx.combine(arrays, rest), data, loss)
        return rule.move(arrays, eqx.filter(gradient, eqx.is_inexact_array), state, j), arrays

    first, numbered = (start, rule.start(start)), (jnp.arange(count), each)
    example = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), numbered)
    body = recomputed(step, first, example, count)
    (end, state), passed = jax.lax.scan(body, first, numbered)
    return eqx.combine(end, rest), state, passed


def predictors(end: Any, passed: PyTree, support: Examples) -> Any:
    """θ_0 … θ_k as one stacked predictor `[k + 1, ...]`, each conditioned on the support set."""
    last, rest = eqx.partition(end, eqx.is_inexact_array)
    arrays = jax.tree.map(lambda before, x: jnp.concatenate([before, x[None]]), passed, last)
    # In turn: `condition` runs the support set through each θ, and one's activations are enough.
    return jax.lax.map(lambda a: condition(eqx.combine(a, rest), support.x), arrays)
