"""What a derivative through each estimator of the inner gradient estimates, by enumeration."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.rl.estimators import LVC, DiCE, FirstOrderEstimator, Naive, ScoreTerm
from references.enumeration import (
    REAL,
    chances,
    each_gradient,
    expected_return,
    inner_gradient,
    log_probs,
    random_mdp,
)

RATE = 0.5
ESTIMATORS = [FirstOrderEstimator(), Naive(), DiCE(), DiCE(0.9), LVC(), ScoreTerm(Naive())]


@pytest.fixture(autouse=True, scope="module")
def double():
    with jax.enable_x64(True):
        yield


def exact(theta, mdp, steps=1):
    """∇ J^I: the gradient of J after `steps` steps along the true ∇J."""

    def objective(theta):
        for _ in range(steps):
            theta = theta + RATE * jax.grad(expected_return)(theta, mdp)
        return expected_return(theta, mdp)

    return jax.grad(objective)(theta)


def estimated(theta, mdp, estimator, steps=1):
    """The meta-gradient that autodiff through the estimator gives."""

    def objective(theta):
        for _ in range(steps):
            theta = theta + RATE * inner_gradient(theta, mdp, estimator)
        return expected_return(theta, mdp)

    return jax.grad(objective)(theta)


def second(theta, mdp):
    """∇ J^II by the sum over all single trajectories, differentiated as a whole."""

    def objective(theta):
        after = theta[None] + RATE * each_gradient(theta, mdp, Naive())
        returns = jax.vmap(expected_return, (0, None))(after, mdp)
        return jnp.sum(chances(theta, mdp) * returns)

    return jax.grad(objective)(theta)


def second_estimated(theta, mdp, estimator):
    """The same from the estimator: samples are constants, and its score term makes up for it."""
    weights = jax.lax.stop_gradient(chances(theta, mdp))

    def objective(theta):
        after = theta[None] + RATE * each_gradient(theta, mdp, estimator)
        returns = jax.vmap(expected_return, (0, None))(after, mdp)
        scores = estimator.score(log_probs(theta), REAL)
        return jnp.sum(weights * (returns + scores * jax.lax.stop_gradient(returns)))

    return jax.grad(objective)(theta)


def errors(found, wanted):
    """Relative error and cosine of 30 random MDPs."""
    mdps = [random_mdp(key) for key in jax.random.split(jax.random.key(0), 30)]
    mdp, theta = jax.tree.map(lambda *x: jnp.stack(x).astype(float), *mdps)
    a, b = (jax.jit(jax.vmap(f))(theta, mdp).reshape(30, -1) for f in (found, wanted))
    norms = [np.linalg.norm(x, axis=1) for x in (a, b)]
    error = np.linalg.norm(a - b, axis=1) / norms[1]
    return error, np.sum(a * b, 1) / norms[0] / norms[1]


def test_inner_gradients_agree():
    """All estimate the same inner gradient, and that is ∇J."""
    for estimator in ESTIMATORS:
        found = lambda t, m, e=estimator: inner_gradient(t, m, e)  # noqa: E731
        assert errors(found, jax.grad(expected_return))[0].max() < 1e-12


# Objective, estimator, and the bounds of the median relative error and of the worst cosine.
TABLE = [
    ("I", FirstOrderEstimator(), (0.1, 0.4), (0.3, 0.9)),
    ("I", Naive(), (0.4, 0.8), (-1.0, -0.9)),
    ("I", LVC(), (0.02, 0.1), (0.9, 0.999)),
    ("I", DiCE(0.9), (1e-3, 0.02), (0.999, 1.0)),
    ("I", DiCE(), (0.0, 1e-13), (1 - 1e-12, 1 + 1e-12)),
    ("II", Naive(), (0.2, 0.8), (-1.0, -0.9)),
    ("II", ScoreTerm(Naive()), (0.0, 1e-13), (1 - 1e-12, 1 + 1e-12)),
]


@pytest.mark.parametrize(("objective", "estimator", "error", "cosine"), TABLE)
def test_the_table_in_the_results(objective, estimator, error, cosine):
    """The usual estimator's median error is more than half, and it may point the other way."""
    way, wanted = {"I": (estimated, exact), "II": (second_estimated, second)}[objective]
    apart, along = errors(lambda t, m: way(t, m, estimator), wanted)
    found = np.median(apart), apart.max(), along.min()
    print(type(estimator).__name__, objective, *(f"{x:.3g}" for x in found))
    assert error[0] <= found[0] < error[1]
    assert cosine[0] <= found[2] <= cosine[1]


def test_dice_is_exact_through_two_steps():
    def found(t, m):
        return estimated(t, m, DiCE(), 2)

    assert errors(found, lambda t, m: exact(t, m, 2))[0].max() < 1e-10


def test_a_loaded_dice_without_memory_is_lvc():
    """And with it, each step's score meets those of the steps before, λ^{t−s} of them: by hand,
    where ∇² of exp(w_t) − exp(λ w_{t−1}) is ∇²w + ∇w ∇wᵀ of both."""
    of = lambda e: lambda t, m: estimated(t, m, e)  # noqa: E731
    assert errors(of(DiCE(0.0)), of(LVC()))[0].max() < 1e-12
    change, a = jnp.zeros((1, 2)), jnp.array([[2.0, 3.0]])
    found = jax.hessian(lambda x: DiCE(0.5).surrogate(x, change, a, change == 0))(change)
    np.testing.assert_allclose(found[0, :, 0], [[2.0 + 3 * (0.25 - 0.25), 1.5], [1.5, 3.0]])


def test_sampled_meta_gradients_agree_with_the_exact_one():
    """The mean of DiCE over batches of trajectories of one MDP, at a rate so small that the
    meta-gradient is linear in the inner one, lies within its interval."""
    mdp, theta = random_mdp(jax.random.key(1))
    theta = theta.astype(float)
    weights = chances(theta, mdp)
    number = jax.random.choice(jax.random.key(2), 32, (20_000,), p=weights)
    hessians = jax.jacobian(lambda t: each_gradient(t, mdp, DiCE()))(theta)[number]
    wanted = jax.hessian(expected_return)(theta, mdp)
    error = (hessians.mean(0) - wanted) / (hessians.std(0) / len(number) ** 0.5 + 1e-12)
    assert float(jnp.abs(error).max()) < 4
    naive = jax.jacobian(lambda t: each_gradient(t, mdp, Naive()))(theta)[number]
    wrong = (naive.mean(0) - wanted) / (naive.std(0) / len(number) ** 0.5 + 1e-12)
    assert float(jnp.abs(wrong).max()) > 10
