"""CAVIA by hand: a context that moves, and a network that stays."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs


class Sum(eqx.Module):
    """y = w (x + c), read from x ‖ c."""

    w: jax.Array

    def __call__(self, x):
        return self.w * jnp.sum(x, -1, keepdims=True)


# L(c) = (2 (1 + c) − 6)², so c ← c − α · 4 (2 (1 + c) − 6); with α = 1/16 from 0: 1, then 1.5.
SUPPORT = qs.Examples(jnp.array([[1.0]]), jnp.array([[6.0]]))


def learner(steps, context=0.0):
    model = qs.WithContext(Sum(jnp.array(2.0)), jnp.array([context]))
    return qs.CAVIA(model, inner_lr=1 / 16, steps=steps, loss=qs.squared_error)


def test_only_the_context_moves():
    for steps, context in ((0, 0.0), (1, 1.0), (2, 1.5)):
        adapted = learner(steps).adapt(SUPPORT)
        assert adapted.context.tolist() == [context]
        assert float(adapted.network.w) == 2.0


def test_every_task_begins_at_zero():
    """Whatever c_0 holds, it is not meta-learned: nothing depends on it."""
    assert learner(1, context=7.0).adapt(SUPPORT).context.tolist() == [1.0]
    task = qs.Task(SUPPORT, qs.Examples(jnp.array([[2.0]]), jnp.array([[5.0]])))
    gradient = learner(1, context=7.0).meta_gradient(task)[0].model
    assert gradient.context.tolist() == [0.0]
    # c = 2αw (6 − w) and L = (w (2 + c) − 5)²: at w = 2, L' = 2 · (6 − 5) · (3 + 2 · (2α · 2)).
    np.testing.assert_allclose(gradient.network.w, 2 * (3 + 2 * 0.25), rtol=1e-6)
