"""What a training loop drives."""

import jax
import jax.numpy as jnp

import quickstudy as qs
from quickstudy.training.algorithm import Algorithm, update
from quickstudy.training.meta_training import MetaTraining
from references.walking import Stroll, Walk

KEY = jax.random.key(0)


def test_a_step_improves_on_what_this_state_collects():
    """x goes up by one; the noise is 0.9 of what it was and the drawn number times (1 − ¼)."""
    state = {"x": jnp.float32(2.0), "noise": jnp.float32(10.0)}
    after, metrics = update(Walk(), state, KEY, jnp.float32(0.25))
    assert float(after["x"]) == 3.0
    assert jnp.allclose(after["noise"], 9.0 + 0.75 * jax.random.normal(KEY))
    assert float(metrics["progress"]) == 0.25


def test_ours_and_one_s_own_are_algorithms():
    for kind in (MetaTraining, qs.RL2, qs.MAMLRL, Walk, Stroll):
        wanted = ("host", "init", "collect", "improve", "validate", "learned")
        assert all(hasattr(kind, name) for name in wanted), kind
    assert isinstance(Walk(), Algorithm)
    assert not isinstance(object(), Algorithm)
