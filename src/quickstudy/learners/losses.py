"""Losses L(outputs, y) and what is measured beside them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from quickstudy.errors import BadInput
from quickstudy.tasks.task import Examples

Loss = Callable[[Any, Any], Any]

ABSENT = -1e9
"""The logit of what cannot be; finite, so that its slope is, too."""


SURE = 1e-6
"""Scores from 0 to 1 are kept this far from both, where their log-odds are infinite."""


def cross_entropy(outputs: Float[Array, "n ways"], y: Int[Array, " n"]) -> Float[Array, ""]:
    """−mean_i log softmax(outputs_i)[y_i], in nats.

    Example:
        >>> round(float(cross_entropy(jnp.zeros((2, 5)), jnp.array([0, 3]))), 4)  # log 5
        1.6094
    """
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(outputs, y))


def squared_error(outputs: Float[Array, "n d"], y: Float[Array, "n d"]) -> Float[Array, ""]:
    """The mean over examples and dimensions of (outputs − y)².

    Example:
        >>> float(squared_error(jnp.array([[1.0], [2.0]]), jnp.array([[1.0], [5.0]])))
        4.5

    Raises:
        BadInput: the shapes differ, which would be broadcast.
    """
    made, wanted = list(jnp.shape(outputs)), list(jnp.shape(y))
    if made != wanted:
        raise BadInput(f"the outputs are {made} and the targets {wanted}; give one for each target")
    return jnp.mean(jnp.square(outputs - y))


def accuracy(outputs: Float[Array, "n ways"], y: Int[Array, " n"]) -> Float[Array, ""]:
    """The share of examples whose largest output is at their class.

    Example:
        >>> float(accuracy(jnp.array([[3.0, 1.0], [2.0, 0.0]]), jnp.array([0, 1])))
        0.5
    """
    return jnp.mean((jnp.argmax(outputs, -1) == y).astype(outputs.dtype))


def loss_on(loss: Loss, outputs: Any, examples: Examples) -> Any:
    """L over the examples that are real; classes that are not present are never the answer.

    With padding the loss of every example is computed by itself and averaged, so it must be a
    mean over examples.

    Args:
        loss: L(outputs, y).
        outputs: `[n, d]`, a predictor's.
        examples: what they are held against.
    """
    outputs = possible(outputs, examples)
    if examples.real is None:
        return loss(outputs, examples.y)
    each = jax.vmap(lambda o, y: loss(o[None], y[None]))(outputs, examples.y)
    # Chosen, not multiplied: 0 times the infinite loss of padding is not-a-number. And a set
    # without a real example has the loss 0, not 0 / 0.
    return jnp.sum(jnp.where(examples.real, each, 0)) / jnp.maximum(examples.count, 1)


def possible(outputs: Any, examples: Examples) -> Any:
    """Outputs in which a class that is not present is out of the question.

    Example:
        >>> present = jnp.array([True, False])
        >>> examples = Examples(jnp.zeros((1, 2)), jnp.zeros(1, int), 2, None, present)
        >>> possible(jnp.array([[1.0, 2.0]]), examples).tolist()
        [[1.0, -1000000000.0]]
    """
    if examples.present is None:
        return outputs
    return jnp.where(examples.present[None], outputs, ABSENT)


def scores_as_logits(scores: Any) -> Any:
    """log s / (1 − s) of scores s in 0 ... 1, of which a softmax gives probabilities.

    Example:
        >>> scores_as_logits(jnp.array([0.5, 0.9])).round(2).tolist()
        [0.0, 2.200000047683716]
    """
    kept = jnp.clip(scores, SURE, 1 - SURE)
    return jnp.log(kept / (1 - kept))


def metric_name(examples: Examples) -> str:
    """What one reports for such examples: `accuracy` for classes, `squared_error` for targets."""
    return "squared_error" if examples.ways is None else "accuracy"


def score(outputs: Any, examples: Examples) -> Any:
    """The metric of that name."""
    return loss_on(squared_error if examples.ways is None else accuracy, outputs, examples)
