"""A small network, a task that it learns from, and MAML on both: what its relatives are held to."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import quickstudy as qs

KEY = jax.random.key(0)
MODEL = qs.MLP(1, (6, 6, 1), activation=jnp.tanh, key=KEY)
TASK = qs.Sinusoid(shots=6, queries=6, amplitude=(1.0, 1.0)).sample(jax.random.key(1))
SETTINGS = {"loss": qs.squared_error}
RATE, STEPS = 0.1, 3
MAML = qs.MAML(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)


@eqx.filter_jit
def gradient(learner, progress=1.0):
    return learner.meta_gradient(TASK, key=KEY, progress=progress)[0]


def flat(tree):
    return np.asarray(ravel_pytree(eqx.filter(tree, eqx.is_inexact_array))[0])


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5 * np.abs(wanted).max())


def predictions(learner):
    return learner.adapt(TASK.support)(TASK.query.x)
