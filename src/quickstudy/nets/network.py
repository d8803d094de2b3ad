"""What a network is to a learner: a callable on a batch that may keep the support's statistics."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.nets.norm import NORMS, JointNorm, Norm


@runtime_checkable
class Network(Protocol):
    """A batch of inputs `[n, ...]` to a batch of outputs `[n, d]`. Equinox modules over single
    examples become one through `Batched`."""

    def __call__(self, x: Any) -> Any:
        """Outputs `[n, d]` for inputs `[n, ...]`."""
        ...


def condition(network: Any, x: Float[Array, "n ..."]) -> Any:
    """The network to use on queries, after it has seen the support inputs `x`.

    Networks that keep nothing of the support set are returned as they are; one with a norm `joint`
    becomes a `Jointly`.

    Raises:
        BadInput: a norm `support` is in the network and was not shown the support set, so that it
            would normalise queries by one another.
    """
    if any(isinstance(norm, JointNorm) for norm in _norms(network)):
        return Jointly(network, x)
    seen = network.condition(x) if hasattr(network, "condition") else network
    # Else predictions depend on other queries while `transductive` says that they do not.
    demand_conditioned(seen, f"a {type(network).__name__}")
    return seen


def has_support_norm(network: Any) -> bool:
    """Whether a norm `support` or `joint` in it has yet to see a support set."""
    return any(norm.of_support for norm in _norms(network))


def demand_conditioned(network: Any, what: str) -> None:
    """Raise `BadInput` if a norm of the support set in what queries are given to has not seen it.

    Args:
        network: any pytree.
        what: names it, for the message.
    """
    unseen = {type(norm) for norm in _norms(network) if norm.of_support}
    if unseen:
        name = next(name for name, kind in NORMS.items() if kind in unseen)
        raise BadInput(
            f"the norm {name!r} in {what} has not seen the support set, and would normalise "
            "queries by one another; give the module that holds it a method condition(x), which "
            "returns the module with norm.condition(...) of the activations there, as "
            "quickstudy.Headed has it; or take the norm 'layer'"
        )


def is_transductive(network: Any) -> bool:
    """Whether a query's output may depend on the other queries of its batch."""
    return any(norm.transductive for norm in _norms(network))


def all_per_example(network: Any) -> bool:
    """Whether every norm of the network looks at each example by itself."""
    return all(norm.per_example for norm in _norms(network))


class Jointly(eqx.Module):
    """A network that reads each query together with the support set, so that norms `joint` take
    their statistics of both: query x's output is the last row of network([x_1 … x_n, x]).

    A query costs as much as the n + 1 examples that are read for it.

    Attributes:
        network: any network.
        support: the support inputs `[n, ...]`.

    Example:
        >>> differences = Jointly(lambda x: x - x.mean(0, keepdims=True), jnp.array([[1.0], [3.0]]))
        >>> differences(jnp.array([[2.0], [5.0]])).ravel()
        Array([0., 2.], dtype=float32)
    """

    network: Any
    support: Float[Array, "n ..."]

    @compiled_once
    def __call__(self, x: Float[Array, "m ..."]) -> Float[Array, "m ..."]:
        def read(query: Float[Array, "..."]) -> Float[Array, "..."]:
            return self.network(jnp.concatenate([self.support, query[None]]))[-1]

        # In turn: the support set's activations beside one query are enough memory.
        return jax.lax.map(read, x)


def _norms(network: Any) -> list[Norm]:
    """The norms of a network, without those that read the support set with each query already."""
    parts = jax.tree.leaves(network, is_leaf=lambda part: isinstance(part, Norm | Jointly))
    return [part for part in parts if isinstance(part, Norm)]


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
