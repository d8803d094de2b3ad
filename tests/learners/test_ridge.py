"""Ridge regression against the direct solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.learners.ridge import solve_ridge

X = jnp.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
SUPPORT = qs.Examples(X, jnp.array([0, 1, 1]), 2)


def same(x):
    return x


def test_ridge_is_the_least_squares_solution():
    """W from the n × n system is (XᵀX + λ I)⁻¹ Xᵀ Y, with a column of ones for the bias."""
    log_penalty = jnp.log(0.3)
    learner = qs.RidgeRegression(same, log_penalty, jnp.array(2.0), jnp.array(0.5))
    predictor = learner.adapt(SUPPORT)
    x = np.concatenate([X, np.ones((3, 1))], 1)
    y = np.eye(2)[[0, 1, 1]]
    w = np.linalg.solve(x.T @ x + 0.3 * np.eye(3), x.T @ y)
    query = np.array([[1.0, 2.0]])
    wanted = 2 * (np.concatenate([query, np.ones((1, 1))], 1) @ w) + 0.5
    np.testing.assert_allclose(predictor(jnp.asarray(query)), wanted, rtol=1e-4)


def test_ridge_has_a_gradient_in_its_penalty():
    gram, y = X @ X.T, SUPPORT.x
    slope = jax.grad(lambda p: jnp.sum(jnp.sin(solve_ridge(gram, y, p))))(jnp.array(0.5))
    ends = [
        float(jnp.sum(jnp.sin(solve_ridge(gram, y, jnp.array(0.5 + d))))) for d in (-0.01, 0.01)
    ]
    assert float(slope) == pytest.approx((ends[1] - ends[0]) / 0.02, rel=1e-2)
