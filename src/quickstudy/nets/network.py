"""What a network is to a learner: a callable on a batch that may keep the support's statistics."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.nets.norm import Norm, SupportNorm


@runtime_checkable
class Network(Protocol):
    """A batch of inputs `[n, ...]` to a batch of outputs `[n, d]`. Equinox modules over single
    examples become one through `Batched`."""

    def __call__(self, x: Any) -> Any:
        """Outputs `[n, d]` for inputs `[n, ...]`."""
        ...


def condition(network: Any, x: Float[Array, "n ..."]) -> Any:
    """The network to use on queries, after it has seen the support inputs `x`.

    Networks that keep nothing of the support set are returned as they are.

    Raises:
        BadInput: a norm `support` is in the network and was not shown the support set, so that it
            would normalise queries by one another.
    """
    seen = network.condition(x) if hasattr(network, "condition") else network
    # Else predictions depend on other queries while `transductive` says that they do not.
    demand_conditioned(seen, f"a {type(network).__name__}")
    return seen


def has_support_norm(network: Any) -> bool:
    """Whether a norm `support` in it has yet to see a support set."""
    parts = jax.tree.leaves(network, is_leaf=lambda part: isinstance(part, Norm))
    return any(isinstance(part, SupportNorm) for part in parts)


def demand_conditioned(network: Any, what: str) -> None:
    """Raise `BadInput` if a norm `support` in what queries are given to has seen no support set.

    Args:
        network: any pytree.
        what: names it, for the message.
    """
    if has_support_norm(network):
        raise BadInput(
            f"the norm 'support' in {what} has not seen the support set, and would normalise "
            "queries by one another; give the module that holds it a method condition(x), which "
            "returns the module with norm.condition(...) of the activations there, as "
            "quickstudy.Headed has it; or take the norm 'layer'"
        )


def is_transductive(network: Any) -> bool:
    """Whether a query's output may depend on the other queries of its batch."""
    parts = jax.tree.leaves(network, is_leaf=lambda part: isinstance(part, Norm))
    return any(isinstance(part, Norm) and part.transductive for part in parts)


def all_per_example(network: Any) -> bool:
    """Whether every norm of the network looks at each example by itself."""
    parts = jax.tree.leaves(network, is_leaf=lambda part: isinstance(part, Norm))
    return all(part.per_example for part in parts if isinstance(part, Norm))


class Linear(eqx.Module):
    """x ↦ x W + b for `x [n, inputs]`. Weights start as N(0, 1/inputs), or at zero."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]

    @classmethod
    def create(cls, inputs: int, outputs: int, *, key: PRNGKeyArray) -> "Linear":
        """Weights drawn with variance 1 / inputs; the key is consumed."""
        weight = jax.random.normal(key, (inputs, outputs)) / jnp.sqrt(inputs)
        return cls(weight, jnp.zeros(outputs))

    @classmethod
    def zeros(cls, inputs: int, outputs: int) -> "Linear":
        """Weights at zero: every class equally likely at first."""
        return cls(jnp.zeros((inputs, outputs)), jnp.zeros(outputs))

    @compiled_once
    def __call__(self, x: Float[Array, "n inputs"]) -> Float[Array, "n outputs"]:
        # [None], because the tests have JAX refuse to broadcast arrays of different ranks.
        return x @ self.weight + self.bias[None]


class Headed(eqx.Module):
    """A body that makes features and a linear head that reads them.

    Example:
        >>> import jax, quickstudy.nets.mlp as mlp
        >>> body = mlp.MLP(2, (8, 4), key=jax.random.key(0))
        >>> Headed(body, Linear.zeros(4, 5))(jnp.ones((3, 2))).shape
        (3, 5)
    """

    body: Any
    head: Any

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n outputs"]:
        return self.head(self.body(x))

    def condition(self, x: Float[Array, "n ..."]) -> "Headed":
        """Let the body see the support inputs."""
        return Headed(condition(self.body, x), self.head)


class Batched(eqx.Module):
    """A module written for one example, made to take a batch.

    Example:
        >>> import equinox as eqx, jax
        >>> one = eqx.nn.MLP(2, 3, 8, 1, key=jax.random.key(0))
        >>> Batched(one)(jnp.ones((5, 2))).shape
        (5, 3)
    """

    module: Any

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        return jax.vmap(self.module)(x)


class Flattened(eqx.Module):
    """A network of vectors that reads anything: `[n, ...]` as `[n, d]`.

    Example:
        >>> import jax, quickstudy.nets.mlp as mlp
        >>> Flattened(mlp.MLP(12, (4,), key=jax.random.key(0)))(jnp.ones((5, 2, 2, 3))).shape
        (5, 4)
    """

    network: Any

    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n outputs"]:
        return self.network(x.reshape(x.shape[0], -1))
