"""Networks that draw random numbers in training, as dropout does, and none in evaluation."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree


class Noisy(eqx.Module):
    """A module written for one example that takes `key=`, made to take a batch.

    By itself it draws nothing: its dropout is in inference mode. Meta-training hands it a key, a
    fresh one for every task; all inner steps of a task then share one draw, so that each task
    adapts and is judged as one and the same thinned network.

    Attributes:
        module: called as `module(x, key=key)`, as most of `equinox.nn`.
        key: what it draws from; `None` draws nothing.

    Example:
        >>> import jax.numpy as jnp
        >>> network = Noisy(eqx.nn.Dropout(0.5))
        >>> network(jnp.ones((2, 4))).tolist() == jnp.ones((2, 4)).tolist()
        True
        >>> sorted(set(with_noise(network, jax.random.key(0))(jnp.ones((2, 4))).ravel().tolist()))
        [0.0, 2.0]
    """

    module: Any
    key: PRNGKeyArray | None = None

    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        if self.key is None:
            return jax.vmap(eqx.nn.inference_mode(self.module))(x)
        keys = jax.random.split(self.key, x.shape[0])
        return jax.vmap(lambda one, key: self.module(one, key=key))(x, keys)


def with_noise(tree: PyTree, key: PRNGKeyArray) -> PyTree:
    """The same pytree, in which every `Noisy` network draws. The key is consumed.

    Args:
        tree: a learner, say.
        key: folded with the number of each `Noisy` part.
    """
    parts, structure = jax.tree.flatten(tree, is_leaf=lambda part: isinstance(part, Noisy))
    drawn = [
        Noisy(part.module, jax.random.fold_in(key, i)) if isinstance(part, Noisy) else part
        for i, part in enumerate(parts)
    ]
    return jax.tree.unflatten(structure, drawn)
