"""Losses L(outputs, y) and what is measured beside them."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from quickstudy.tasks.task import Examples

Loss = Callable[[Any, Any], Any]


def cross_entropy(outputs: Float[Array, "n ways"], y: Int[Array, " n"]) -> Float[Array, ""]:
    """−mean_i log softmax(outputs_i)[y_i], in nats.

    Example:
        >>> round(float(cross_entropy(jnp.zeros((2, 5)), jnp.array([0, 3]))), 4)  # log 5
        1.6094
    """
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(outputs, y))


def squared_error(outputs: Float[Array, "n d"], y: Float[Array, "n d"]) -> Float[Array, ""]:
    """The mean over examples and dimensions of (outputs − y)²."""
    return jnp.mean(jnp.square(outputs - y))


def accuracy(outputs: Float[Array, "n ways"], y: Int[Array, " n"]) -> Float[Array, ""]:
    """The share of examples whose largest output is at their class."""
    return jnp.mean((jnp.argmax(outputs, -1) == y).astype(outputs.dtype))


def metric_of(examples: Examples) -> tuple[str, Loss]:
    """What one reports for such examples: `accuracy` for classes, `squared_error` for targets."""
    return ("squared_error", squared_error) if examples.ways is None else ("accuracy", accuracy)
