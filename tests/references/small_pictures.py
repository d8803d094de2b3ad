"""A task of a few small images of two classes, and a network that reads them."""

import jax
import jax.numpy as jnp

import quickstudy as qs

KEY = jax.random.key(0)


def conv(norm):
    return qs.Headed(
        qs.Conv4((8, 8, 1), filters=4, norm=norm, downsample="stride", readout="mean", key=KEY),
        qs.Linear.create(4, 2, key=KEY),
    )


def images(key):
    x = jax.random.normal(key, (4, 8, 8, 1))
    return qs.Examples(x, jnp.array([0, 1, 0, 1]), 2)


PICTURES = qs.Task(images(jax.random.key(2)), images(jax.random.key(3)))
