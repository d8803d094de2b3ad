"""Implicit MAML against the explicit inverse and the slope of the loss."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import quickstudy as qs
from references.one_wave import MODEL, SETTINGS, TASK


def test_implicit_gradient_is_exact_once_converged():
    """Against (I + H/λ)⁻¹ ∇L^ts(φ) from the explicit Hessian, and against the slope of the loss."""
    with jax.enable_x64(True):
        model, task = jax.tree.map(lambda x: jnp.asarray(np.asarray(x, np.float64)), (MODEL, TASK))
        learner = qs.ImplicitMAML(
            model, inner_lr=0.1, steps=400, penalty=1.5, cg_steps=60, **SETTINGS
        )
        theta, unravel = ravel_pytree(model)

        @jax.jit
        def measure(theta):
            own = dataclasses.replace(learner, model=unravel(theta))
            phi = ravel_pytree(own.adapt(task.support))[0]
            found = ravel_pytree(own.meta_gradient(task)[0].model)[0]
            return phi, found, own.meta_loss(task)[0]

        def loss(phi, data):
            return qs.squared_error(unravel(phi)(data.x), data.y)

        phi, found, _ = measure(theta)
        residual = jax.grad(loss)(phi, task.support) + 1.5 * (phi - theta)
        assert np.abs(residual).max() < 1e-9, "the inner loop has converged"
        hessian = jax.hessian(loss)(phi, task.support)
        slope = jax.grad(loss)(phi, task.query)
        exact = np.linalg.solve(np.eye(len(phi)) + np.asarray(hessian) / 1.5, np.asarray(slope))
        np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-9)
        # A wrong penalty, a missing inverse and a Hessian of the query loss are all seen.
        for wrong in (
            np.linalg.solve(np.eye(len(phi)) + np.asarray(hessian) / 1.53, np.asarray(slope)),
            np.asarray(slope),
        ):
            assert np.abs(found - wrong).max() > 1e-4
        u = np.random.default_rng(0).normal(size=len(theta))
        u /= np.linalg.norm(u)
        ends = [float(measure(theta + h * u)[2]) for h in (1e-5, -1e-5)]
        assert float(found @ u) == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


def test_no_step_of_conjugate_gradients_would_learn_nothing():
    with pytest.raises(qs.BadInput, match="cg_steps is 0; give a whole number of 1 or more"):
        qs.ImplicitMAML(MODEL, cg_steps=0)


def test_the_authors_form_of_implicit_maml():
    """By hand: plain steps, one pull back, ((1 + δ) I + H/(λ + 10))⁻¹ ∇L^ts(φ) at its end, and no
    pull back where it is used."""
    with jax.enable_x64(True):
        model, task = jax.tree.map(lambda x: jnp.asarray(np.asarray(x, np.float64)), (MODEL, TASK))
        learner = qs.ImplicitMAML(
            model, inner_lr=0.1, steps=4, penalty=2.0, cg_steps=80, form=qs.PullBackForm(0.5),
            **SETTINGS,
        )  # fmt: skip
        theta, unravel = ravel_pytree(model)

        def loss(phi, data):
            return qs.squared_error(unravel(phi)(data.x), data.y)

        phi = theta
        for _ in range(4):
            phi = phi - 0.1 * jax.grad(loss)(phi, task.support)
        used = ravel_pytree(learner.adapt(task.support))[0]
        np.testing.assert_allclose(used, phi, rtol=1e-9, atol=1e-12)
        phi = phi - 0.1 * 2.0 * (phi - theta)
        hessian, slope = jax.hessian(loss)(phi, task.support), jax.grad(loss)(phi, task.query)
        wanted = np.linalg.solve(1.5 * np.eye(len(phi)) + np.asarray(hessian) / 12, slope)
        found = ravel_pytree(learner.meta_gradient(task)[0].model)[0]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)
