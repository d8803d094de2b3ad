"""Trust-region policy optimisation (Schulman et al., 2015, https://arxiv.org/abs/1502.05477)."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Scalar

from quickstudy.conjugate_gradients import conjugate_gradients
from quickstudy.mesh import total
from quickstudy.rl.batch import Batch, gradient_of, log_probs, mean_over, thoughts, value_error
from quickstudy.rl.policy import MetaPolicy, Thought
from quickstudy.rl.ppo import Metrics


class TRPO(eqx.Module):
    """The largest step along the natural gradient that a trust region allows, as RL² was trained.

        max_θ E[ρ A]   s.t.   E[KL(π_old ‖ π_θ)] ≤ δ;      step = √(2δ / xᵀFx) x,   F x = ∇E[ρ A]

    x comes from conjugate gradients on Fisher-vector products; the step is shortened until the
    surrogate rises within the true KL. If no length does, or xᵀFx is not positive, the policy stays
    as it was and the metric `accepted` is 0. The critic reads what the policy remembers, and is
    fitted by descent afterwards.

    Attributes:
        optimiser: descends the critic's error; it does not touch the policy.
        radius: δ, in nats.
        damping: added to F's diagonal.
        iterations: of conjugate gradients.
        backtracks: lengths that are tried, each 0.8 of the one before.
        critic_steps: descent steps of the critic.
    """

    optimiser: optax.GradientTransformation = eqx.field(static=True)
    radius: float = eqx.field(static=True, default=0.01)
    damping: float = eqx.field(static=True, default=0.1)
    iterations: int = eqx.field(static=True, default=10)
    backtracks: int = eqx.field(static=True, default=10)
    critic_steps: int = eqx.field(static=True, default=10)
    minibatches: int = eqx.field(static=True, default=1, init=False)

    def init(self, policy: MetaPolicy) -> Any:
        """The critic's optimiser's state."""
        return self.optimiser.init(eqx.filter(policy.critic, eqx.is_inexact_array))

    def improve(
        self, policy: MetaPolicy, state: Any, batch: Batch
    ) -> tuple[MetaPolicy, Any, Metrics]:
        """One step of the policy, then `critic_steps` of the critic."""
        whole = jax.tree.map(lambda x: x[0], batch)
        policy, metrics = self.step(policy, whole)

        def descend(carry: Any, _: None) -> tuple[Any, Scalar]:
            critic, state = carry
            now = eqx.tree_at(lambda p: p.critic, policy, critic)
            gradient, found = gradient_of(_critic_loss, now, whole)
            updates, state = self.optimiser.update(gradient.critic, state, critic)
            return (eqx.apply_updates(critic, updates), state), found["loss"]

        (critic, state), errors = jax.lax.scan(
            descend, (policy.critic, state), length=self.critic_steps
        )
        policy = eqx.tree_at(lambda p: p.critic, policy, critic)
        return policy, state, {**metrics, "value_error": errors[-1]}

    def step(self, policy: MetaPolicy, batch: Batch) -> tuple[MetaPolicy, Metrics]:
        """The constrained step of everything but the critic."""
        old = jax.lax.stop_gradient(thoughts(policy, batch))
        gradient, metrics = gradient_of(_surrogate, policy, batch)
        flat, unflatten = jax.flatten_util.ravel_pytree(gradient)
        fisher = fisher_product(policy, batch, old)

        def product(x: Array) -> Array:
            return jax.flatten_util.ravel_pytree(fisher(unflatten(x)))[0] + self.damping * x

        x = conjugate_gradients(product, flat, self.iterations)
        curvature = x @ product(x)
        longest = jnp.sqrt(2 * self.radius / jnp.where(curvature > 0, curvature, jnp.nan))
        found, accepted, divergence = self._search(
            policy, (batch, old, metrics["loss"]), lambda length: unflatten(-length * longest * x)
        )
        found_metrics = {"kl": divergence, "accepted": accepted.astype(jnp.float32)}
        return found, {**metrics, **found_metrics, "gradient_norm": jnp.linalg.norm(flat)}

    def _search(
        self, policy: MetaPolicy, given: tuple[Batch, Thought, Scalar], step: Callable[..., Any]
    ) -> tuple[MetaPolicy, Array, Scalar]:
        """The longest step that raises the surrogate within the trust region."""
        batch, old, before = given

        def attempt(carry: Any, length: Array) -> tuple[Any, None]:
            best, accepted, divergence = carry
            there = eqx.apply_updates(policy, step(length))
            thought = thoughts(there, batch)
            apart = mean_over(_divergences(old, thought), batch.real)
            ratio = jnp.exp(log_probs(thought, batch) - batch.log_prob)
            loss = mean_over(-ratio * batch.advantage, batch.real)
            # Comparisons with not-a-number are false: a step that is none is not accepted.
            good = (loss < before) & (apart <= self.radius) & ~accepted
            best = jax.tree.map(lambda a, b: jnp.where(good, a, b), there, best)
            return (best, accepted | good, jnp.where(good, apart, divergence)), None

        start = (policy, jnp.zeros((), bool), jnp.zeros(()))
        return jax.lax.scan(attempt, start, 0.8 ** jnp.arange(self.backtracks))[0]


def fisher_product(policy: MetaPolicy, batch: Batch, old: Thought) -> Callable[[Any], Any]:
    """v ↦ F v, F = ∇²_θ E[KL(π_old ‖ π_θ)] at π_old, by forward- over reverse-mode.

    Args:
        policy: π_θ = π_old.
        batch: this device's share; the product is that over all devices.
        old: what the policy makes of the batch.
    """
    parameters, rest = eqx.partition(policy, eqx.is_inexact_array)
    count = jnp.maximum(total(jnp.sum(batch.real)), 1)

    def summed(parameters: Any) -> Scalar:
        apart = _divergences(old, thoughts(eqx.combine(parameters, rest), batch))
        return jnp.sum(jnp.where(batch.real, apart, 0.0))

    def product(v: Any) -> Any:
        found = jax.jvp(jax.grad(summed), (parameters,), (v,))[1]
        return jax.tree.map(lambda x: x / count, total(found))

    return product


def _surrogate(policy: MetaPolicy, batch: Batch) -> tuple[Array, dict[str, Array]]:
    ratio = jnp.exp(log_probs(thoughts(policy, batch), batch) - batch.log_prob)
    return -ratio * batch.advantage, {}


def _critic_loss(policy: MetaPolicy, batch: Batch) -> tuple[Array, dict[str, Array]]:
    return value_error(thoughts(policy, batch), batch), {}


def _divergences(old: Thought, new: Thought) -> Float[Array, "parts time"]:
    """KL(π_old ‖ π_new) at every step."""
    one = type(old.actions).divergence
    return jax.vmap(jax.vmap(one))(old.actions, new.actions)
