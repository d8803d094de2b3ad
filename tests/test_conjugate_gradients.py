"""Conjugate gradients, against a direct solver, and on what is not positive definite."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.conjugate_gradients import conjugate_gradients
from references.one_wave import KEY, close


def solve(A, b, steps):
    return jax.jit(lambda b: conjugate_gradients(lambda v: A @ v, b, steps))(b).x


def test_against_a_direct_solver():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    A, b = root @ root.T + np.eye(6), rng.normal(size=6)
    x = solve(jnp.asarray(A, jnp.float32), jnp.asarray(b, jnp.float32), 12)
    np.testing.assert_allclose(x, np.linalg.solve(A, b), rtol=1e-3, atol=1e-4)


def test_stops_at_negative_curvature():
    """diag(1, −1): from (2, 1) the first direction curves up, 4 − 1 > 0, with the length 5/3; the
    second, (−2/3, 8/3) + 16/9 … turns down, and x stays (10/3, 5/3)."""
    x = solve(jnp.diag(jnp.array([1.0, -1.0])), jnp.array([2.0, 1.0]), 7)
    np.testing.assert_allclose(x, [10 / 3, 5 / 3], rtol=1e-5)


def test_b_itself_where_nothing_can_be_done():
    x = solve(-jnp.eye(2), jnp.array([2.0, 1.0]), 5)
    np.testing.assert_allclose(x, [2.0, 1.0])


@pytest.mark.parametrize("diagonal", [(-1.0, -1.0), (0.0, 0.0), (1.0, -1.0), (1.0, 3.0)], ids=str)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_residual_is_what_it_says(diagonal, steps):
    """b − A x, wherever it stopped."""
    A, b = jnp.diag(jnp.array(diagonal)), jnp.array([2.0, 1.0])
    x, residual = conjugate_gradients(lambda v: A @ v, b, steps)
    np.testing.assert_allclose(residual, b - A @ x, atol=1e-5)


def test_a_residual_of_nothing():
    np.testing.assert_array_equal(solve(jnp.eye(2), jnp.zeros(2), 3), [0.0, 0.0])
    np.testing.assert_allclose(solve(jnp.eye(2), jnp.ones(2), 9), [1.0, 1.0])


def test_conjugate_gradients_solve_and_stay():
    a = jax.random.normal(KEY, (5, 5))
    a = a @ a.T + jnp.eye(5)
    b = jnp.arange(5.0)
    for steps in (5, 12):
        close(conjugate_gradients(lambda v: a @ v, b, steps).x, jnp.linalg.solve(a, b))
    assert not np.any(conjugate_gradients(lambda v: a @ v, jnp.zeros(5), 3).x)
