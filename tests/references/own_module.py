"""A user's module, and tasks of three classes for it or any other network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs


class OwnModule(eqx.Module):
    """A user's module for single examples: dropout, and an activation as a leaf."""

    layers: list
    dropout: eqx.nn.Dropout
    activation: object

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.layers = [eqx.nn.Linear(2, 12, key=first), eqx.nn.Linear(12, 3, key=second)]
        self.dropout = eqx.nn.Dropout(0.5)
        self.activation = jnp.tanh  # a leaf that is no array

    def __call__(self, x, *, key=None):
        return self.layers[1](self.dropout(self.activation(self.layers[0](x)), key=key))


def episodes(*shape, spread=0.3, classes=10):
    """Classes around random centres, of inputs of any shape."""
    drawn = np.random.default_rng(0)
    centres = drawn.normal(size=(classes, 1, *shape))
    items = centres + spread * drawn.normal(size=(classes, 6, *shape))
    return qs.Episodes(items.astype(np.float32), ways=3, shots=1, queries=2)
