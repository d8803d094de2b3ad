"""How an algorithm's steps are run: many in one compiled call, or one by one on the host."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from quickstudy.mesh import Metrics
from quickstudy.training.algorithm import Algorithm, update


def advance(
    algorithm: Algorithm,
    state: Any,
    key: PRNGKeyArray,
    bounds: tuple[int, int, int],
) -> tuple[Any, Metrics]:
    """Train from one step to another, in one compiled call unless the host must act.

    Args:
        algorithm: what a step is.
        state: of the algorithm.
        key: step s uses `fold_in(key, s)`; not consumed.
        bounds: the first step, the one to stop before, and how many the whole training has.

    Returns:
        the new state, and the metrics' means over the steps.
    """
    if algorithm.host is not None:
        return _advance_on_host(algorithm, state, key, bounds)
    start, stop, steps = (jnp.asarray(bound, jnp.int32) for bound in bounds)
    # Waited for, as the time that it took decides the next chunk's length.
    return jax.block_until_ready(_run_chunk(algorithm, state, key, (start, stop, steps)))


def validate(algorithm: Algorithm, state: Any, key: PRNGKeyArray) -> Metrics:
    """Score what is learned so far. The key is not consumed: validations meet the same tasks."""
    if algorithm.host is not None:
        return algorithm.validate(state, key)
    return _run_validation(algorithm, state, key)


@eqx.filter_jit
def _run_chunk(
    algorithm: Algorithm, state: Any, key: PRNGKeyArray, bounds: tuple[Array, Array, Array]
) -> tuple[Any, Metrics]:
    start, stop, steps = bounds

    # Under its own jit the update is traced once, though its shapes are asked for first.
    @jax.jit
    def one(state: Any, step: Array) -> tuple[Any, Metrics]:
        progress = step.astype(jnp.float32) / steps.astype(jnp.float32)
        return update(algorithm, state, jax.random.fold_in(key, step), progress)

    def body(step: Array, carry: tuple[Any, Metrics]) -> tuple[Any, Metrics]:
        state, metrics = one(carry[0], step)
        return state, jax.tree.map(jnp.add, carry[1], metrics)

    shapes = jax.eval_shape(one, state, start)[1]
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    # A loop whose ends are arguments: chunks of any length share one compilation.
    state, totals = jax.lax.fori_loop(start, stop, body, (state, zeros))
    return state, jax.tree.map(lambda total: total / (stop - start), totals)


def _advance_on_host(
    algorithm: Algorithm, state: Any, key: PRNGKeyArray, bounds: tuple[int, int, int]
) -> tuple[Any, Metrics]:
    start, stop, steps = bounds
    found = []
    for step in range(start, stop):
        batch = algorithm.collect(state, jax.random.fold_in(key, step))
        # A NumPy number: of a Python one `filter_jit` would compile each step anew.
        state, metrics = _improve(algorithm, state, batch, np.float32(step / steps))
        found.append(metrics)
    return state, jax.tree.map(lambda *each: sum(each) / len(each), *found)


@eqx.filter_jit
def _improve(algorithm: Algorithm, state: Any, batch: Any, progress: Any) -> tuple[Any, Metrics]:
    return algorithm.improve(state, batch, progress)


@eqx.filter_jit
def _run_validation(algorithm: Algorithm, state: Any, key: PRNGKeyArray) -> Metrics:
    return algorithm.validate(state, key)
