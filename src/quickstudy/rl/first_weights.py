"""The first weights of policies: what a first update moves, and how far."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Linear

# The standard deviation of hidden biases. With biases of zero a rectifier's features grow in
# proportion with the distance from the origin, and the update that is right where trajectories
# begin is far too large elsewhere, where the next ones are taken.
BIASES = 0.5
SMALL = 0.1  # the size of a head's first weights, of those that keep a signal's variance


class FirstWeights(eqx.Module):
    """How a policy's weights are drawn. A head's gradient is in proportion to the features φ of the
    last hidden layer, so an update with the rate α moves a mean by about α E‖φ‖²."""

    @abc.abstractmethod
    def body(self, inputs: int, widths: tuple[int, ...], *, key: PRNGKeyArray) -> MLP:
        """From inputs to features. The key is consumed."""

    @abc.abstractmethod
    def head(self, features: int, outputs: int, *, key: PRNGKeyArray) -> Linear:
        """From features to logits or means. The key is consumed."""

    def context_head(self, features: int, outputs: int, *, key: PRNGKeyArray) -> Linear:
        """The head of a policy that reads a context: not zeros, through which nothing could be
        learned about the context. The key is consumed."""
        return self.head(features, outputs, key=key)


class Glorot(FirstWeights):
    """U(−√(6 / (n + m)), √(6 / (n + m))) from n to m units, and biases of zero: as MAML's authors
    have it, whose inner rates suit these features (Glorot and Bengio, 2010,
    https://proceedings.mlr.press/v9/glorot10a.html).

    Example:
        >>> body = Glorot().body(2, (100, 100), key=jax.random.key(0))
        >>> bool(jnp.abs(body.layers[1].weight).max() < 0.174)
        True
    """

    def body(self, inputs: int, widths: tuple[int, ...], *, key: PRNGKeyArray) -> MLP:
        """Uniform weights."""
        network = MLP(inputs, widths, last=jax.nn.relu, key=key)
        ends = zip((inputs, *widths[:-1]), widths, jax.random.split(key, len(widths)), strict=True)
        layers = tuple(self.head(n, m, key=k) for n, m, k in ends)
        return eqx.tree_at(lambda net: net.layers, network, layers)

    def head(self, features: int, outputs: int, *, key: PRNGKeyArray) -> Linear:
        """Uniform weights."""
        most = (6 / (features + outputs)) ** 0.5
        weight = jax.random.uniform(key, (features, outputs), minval=-most, maxval=most)
        return Linear(weight, jnp.zeros(outputs))


class He(FirstWeights):
    """N(0, 2 / n) from n units, which keeps a signal's size through rectifiers; hidden biases of
    N(0, ¼), and a head of zeros, that finds all actions equally good (He et al., 2015,
    https://arxiv.org/abs/1502.01852).

    Example:
        >>> He().head(100, 2, key=jax.random.key(0)).weight.any().item()
        False
    """

    def body(self, inputs: int, widths: tuple[int, ...], *, key: PRNGKeyArray) -> MLP:
        """Normal weights and biases."""
        weights_key, bias_key = jax.random.split(key)
        network = MLP(inputs, widths, last=jax.nn.relu, key=weights_key)
        keys = jax.random.split(bias_key, len(widths))
        biases = [BIASES * jax.random.normal(k, (w,)) for k, w in zip(keys, widths, strict=True)]
        return eqx.tree_at(lambda net: [layer.bias for layer in net.layers], network, biases)

    def head(self, features: int, outputs: int, *, key: PRNGKeyArray) -> Linear:
        """Zeros."""
        return Linear.zeros(features, outputs)

    def context_head(self, features: int, outputs: int, *, key: PRNGKeyArray) -> Linear:
        """Small normal weights."""
        drawn = jax.random.normal(key, (features, outputs))
        return Linear(SMALL * drawn / features**0.5, jnp.zeros(outputs))
