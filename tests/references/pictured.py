"""A compiled family that shows a small picture between two numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp

import quickstudy as qs


class Pictured(qs.Environment):
    """The right action is the picture's brightness, or its opposite: the task says which."""

    horizon: int = eqx.field(static=True, default=4)
    actions = qs.Discrete(2)
    observation_shape = (1 + 5 * 4 * 3 + 1,)
    pictures = (qs.Picture(1, (5, 4, 3)),)

    def sample(self, key):
        return jax.random.bernoulli(key)

    def reset(self, key, task):
        return self.show(key)

    def step(self, key, state, action, task):
        right = (state ^ task) == action
        return qs.Step(*self.show(key), right * 1.0, jnp.zeros((), bool))

    def show(self, key):
        """Bright or dark, and what is seen of it."""
        bright = jax.random.bernoulli(key)
        pixels = jnp.full(5 * 4 * 3, bright * 1.0)
        return bright, jnp.concatenate([jnp.ones(1), pixels, jnp.zeros(1)])
