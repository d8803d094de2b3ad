"""Adam whose second moments outlast a task: by NumPy, and as Optax's where tasks do not end."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import quickstudy as qs


def test_one_task_is_adam_without_momentum():
    """The bias that Adam corrects by the number of steps is that of v's weight."""
    with jax.enable_x64(True):
        theta = {"w": jnp.array([1.0, -2.0, 0.5]), "b": jnp.array(3.0)}
        gradients = [jax.tree.map(lambda x, n=n: jnp.sin(x + n), theta) for n in range(5)]
        rule, adam = qs.KeptAdam.like(theta, 0.1), optax.adam(0.1, b1=0.0)
        mine, state, wanted, other = theta, rule.start(theta), theta, adam.init(theta)
        for n, gradient in enumerate(gradients):
            mine, state = rule.move(mine, gradient, state, n)
            updates, other = adam.update(gradient, other)
            wanted = optax.apply_updates(wanted, updates)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9), mine, wanted)


def test_what_is_kept_goes_on_where_it_was():
    """Two tasks, one after the other, are measured as the steps of one; a gradient that is small
    beside those before then moves little, and by a whole rate where all is forgotten."""
    theta, small, large = jnp.zeros(1), jnp.full(1, 1e-3), jnp.ones(1)
    rule = qs.KeptAdam.like(theta, 0.1)
    _, state = rule.move(theta, large, rule.start(theta), 0)
    later = rule.kept(state)
    moved, after = later.move(theta, small, later.start(theta), 0)
    weight = 1 - 0.999**2
    v = (0.999 * 1e-3 + 1e-3 * 1e-6) / weight
    np.testing.assert_allclose(moved, -0.1 * 1e-3 / np.sqrt(v), rtol=1e-4)
    np.testing.assert_allclose(after[1], weight, rtol=1e-4)
    forgetful, _ = rule.move(theta, small, rule.start(theta), 0)
    np.testing.assert_allclose(forgetful, -0.1, rtol=1e-4)
