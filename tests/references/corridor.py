"""A small family of MDPs whose every number can be worked out by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp

import quickstudy as qs


class Corridor(qs.Environment):
    """Walk right to the end of a corridor whose length is the task; each step pays its number."""

    horizon: int = eqx.field(static=True, default=4)

    @property
    def actions(self):
        return qs.Discrete(2)

    @property
    def observation_shape(self):
        return (2,)

    def sample(self, key):
        return jax.random.randint(key, (), 1, 4)

    def reset(self, key, task):
        return jnp.array(0), jnp.array([0.0, 1.0])

    def step(self, key, state, action, task):
        state = state + action
        observation = jnp.stack([state.astype(jnp.float32), jnp.ones(())])
        return qs.Step(state, observation, state.astype(jnp.float32), state >= task)
