"""The multilayer perceptron of the sinusoid experiments."""

import importlib
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput, demand_sizes, is_whole
from quickstudy.nets.network import Linear


def identity(x: Array) -> Array:
    """x."""
    return x


class MLP(eqx.Module):
    """Linear layers with an activation between them: `[n, inputs] -> [n, sizes[-1]]`.

    Args:
        inputs: size of one input.
        sizes: sizes of the layers, the last one the output's.
        activation: applied between layers.
        last: applied after the last layer; nothing by default. A body whose features a head reads
            wants the activation there, too.
        key: consumed.

    Raises:
        BadInput: no layer, one that is no whole number of 1 or more, or inputs below 0.

    Example:
        >>> MLP(1, (40, 40, 1), key=jax.random.key(0))(jnp.ones((10, 1))).shape
        (10, 1)
    """

    layers: tuple[Linear, ...]
    activation: Callable[[Array], Array] = eqx.field(static=True)
    last: Callable[[Array], Array] = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        sizes: tuple[int, ...],
        *,
        activation: Callable[[Array], Array] = jax.nn.relu,
        last: Callable[[Array], Array] = identity,
        key: PRNGKeyArray,
    ):
        # A bandit shows nothing: then there are no inputs, and the layers' offsets are all.
        if not is_whole(inputs, 0):
            raise BadInput(f"inputs is {inputs!r}; give a whole number of 0 or more")
        demand_sizes(sizes=sizes)
        keys = jax.random.split(key, len(sizes))
        ends = zip((inputs, *sizes[:-1]), sizes, keys, strict=True)
        layers = [Linear.create(i, o, key=k) for i, o, k in ends]
        # √2 keeps the variance through a rectifier; an output layer has none (arXiv 1502.01852).
        gain = jnp.sqrt(2.0)
        hidden = len(layers) - (last is identity)
        self.layers = tuple(
            Linear(layer.weight * gain, layer.bias) if i < hidden else layer
            for i, layer in enumerate(layers)
        )
        self.activation, self.last = activation, last

    @compiled_once
    def __call__(self, x: Float[Array, "n inputs"]) -> Float[Array, "n outputs"]:
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.last(self.layers[-1](x))

    def __getstate__(self) -> dict[str, Any]:
        """Functions by their names where they have one: most of JAX's cannot be pickled."""
        return {name: _named(value) for name, value in vars(self).items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            found = _found(value) if isinstance(value, _Name) else value
            object.__setattr__(self, name, found)


class _Name(tuple[str, str]):
    """Where a function stands: its module, and its name there."""


def _named(value: Any) -> Any:
    name = _Name((getattr(value, "__module__", ""), getattr(value, "__qualname__", "")))
    try:
        return name if callable(value) and _found(name) is value else value
    except (ImportError, AttributeError, ValueError):
        return value


def _found(name: _Name) -> Any:
    return getattr(importlib.import_module(name[0]), name[1])
