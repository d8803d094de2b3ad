"""Estimators of the inner policy gradient, named by what a derivative through them estimates.

All have the same value, the policy gradient  ĝ = mean_k Σ_t ∇log π(a_t) A_t  of K trajectories.
They differ in their own derivative, and that is what the meta-gradient is made of. With
J the expected return, and θ' the parameters after the step:

    objective I     J(θ + α ∇J(θ))            the step along the expected gradient
    objective II    E_τ[J(θ + α ĝ(τ))]        the step along a sampled one
"""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree, Scalar

Steps = Float[Array, "k time"]
Real = Bool[Array, "k time"]


class Estimator(eqx.Module):
    """A surrogate of which the gradient is the inner policy gradient."""

    @abc.abstractmethod
    def surrogate(
        self, log_prob: Steps, log_prob_old: Steps, advantage: Steps, real: Real
    ) -> Scalar:
        """To be climbed.

        Args:
            log_prob: log π_θ(a_t), a function of θ.
            log_prob_old: the same number when a_t was chosen, a constant.
            advantage: A_t, a constant.
            real: which steps the trajectories have.
        """

    def score(self, log_prob: Steps, real: Real) -> Float[Array, " k"]:
        """What multiplies a trajectory's effect on the return after adaptation, if anything."""
        return jnp.zeros(log_prob.shape[0], log_prob.dtype)

    def gradient(self, surrogate: Callable[[PyTree], Scalar], theta: PyTree) -> PyTree:
        """∇ surrogate(θ)."""
        return jax.grad(surrogate)(theta)


class Naive(Estimator):
    """Σ_t log π(a_t) A_t: what most published code differentiates twice.

        ∇²  =  Σ_t ∇² log π(a_t) A_t

    estimates neither objective: the trajectories' own dependence on θ is forgotten, and the
    expectation of what is left is no Hessian of J. With `ScoreTerm` it is right for objective II.
    """

    def surrogate(
        self, log_prob: Steps, log_prob_old: Steps, advantage: Steps, real: Real
    ) -> Scalar:
        return _mean(log_prob * advantage, real)


class FirstOrderEstimator(Naive):
    """The inner gradient as a constant: dθ'/dθ = 1, as first-order MAML has it."""

    def gradient(self, surrogate: Callable[[PyTree], Scalar], theta: PyTree) -> PyTree:
        return jax.lax.stop_gradient(jax.grad(surrogate)(theta))


class DiCE(Estimator):
    """Σ_t (exp(w_t) − exp(λ w_{t−1})) A_t,   w_t = λ w_{t−1} + log π(a_t) − log π_old(a_t)

    Its Hessian is an unbiased estimate of ∇²J where A_t is the reward to go and λ = 1, so it is
    right for objective I, with a large variance (Foerster et al., 2018,
    https://arxiv.org/abs/1802.05098). With baselines in A_t, and λ < 1 for less variance against
    some bias, it is Loaded DiCE (Farquhar, Whiteson and Foerster, 2019,
    https://arxiv.org/abs/1909.10549); with λ = 0 its derivatives are those of `LVC`.

    Where π is π_old, exp(w) is the papers' exp(w − ⊥w), with ⊥ a stop to the gradient. Elsewhere,
    for λ = 1, it is the importance weight of what was done so far, where theirs stays 1: so the
    surrogate moves as its derivatives say, and a line search finds what it was promised.

    Attributes:
        memory: λ, how much of the past counts.
    """

    memory: float = eqx.field(static=True, default=1.0)

    def surrogate(
        self, log_prob: Steps, log_prob_old: Steps, advantage: Steps, real: Real
    ) -> Scalar:
        # Before exp, here and below: an overflow there would reach the gradient as 0 · ∞, though
        # `_mean` leaves the step out.
        change = jnp.where(real, log_prob - log_prob_old, 0.0)

        def add(before: Array, now: Array) -> tuple[Array, tuple[Array, Array]]:
            after = self.memory * before + now
            return after, (after, self.memory * before)

        # With λ = 1 a running sum would do; this takes any λ.
        _, (w, past) = jax.lax.scan(add, jnp.zeros_like(change[:, 0]), change.T)
        return _mean((jnp.exp(w) - jnp.exp(past)).T * advantage, real)


class LVC(Estimator):
    """Σ_t π(a_t) / π_old(a_t) A_t: low-variance curvature.

        ∇²  =  Σ_t (∇² log π + ∇log π ∇log πᵀ)(a_t) A_t

    Leaves out of ∇²J the products of different steps' scores: nearly right for objective I, and of
    little variance (ProMP, Rothfuss et al., 2019, https://arxiv.org/abs/1810.06784).
    """

    def surrogate(
        self, log_prob: Steps, log_prob_old: Steps, advantage: Steps, real: Real
    ) -> Scalar:
        change = jnp.where(real, log_prob - log_prob_old, 0.0)
        return _mean(jnp.exp(change) * advantage, real)


class ScoreTerm(Estimator):
    """Another estimator, and E-MAML's term: ∇log p(τ) times the return after adapting on τ.

        ∇J^II  =  E[∇θ' J(θ')  +  J(θ') Σ_j ∇log p(τ_j)]

    The inner trajectories were chosen by θ, too, and those of step j by θ_j(θ). With `Naive` inside
    this is the gradient of objective II (Stadie et al., 2018, https://arxiv.org/abs/1803.01118).
    J(θ') is measured from what the other tasks earned, and in the unit of the task's advantages.

    Attributes:
        estimator: the other one.
    """

    estimator: Estimator = Naive()

    def surrogate(
        self, log_prob: Steps, log_prob_old: Steps, advantage: Steps, real: Real
    ) -> Scalar:
        return self.estimator.surrogate(log_prob, log_prob_old, advantage, real)

    def gradient(self, surrogate: Callable[[PyTree], Scalar], theta: PyTree) -> PyTree:
        return self.estimator.gradient(surrogate, theta)

    def score(self, log_prob: Steps, real: Real) -> Float[Array, " k"]:
        return jnp.sum(jnp.where(real, log_prob, 0.0), -1)


def _mean(each: Steps, real: Real) -> Scalar:
    """Mean over trajectories of the sum over their real steps."""
    return jnp.sum(jnp.where(real, each, 0.0)) / each.shape[0]
