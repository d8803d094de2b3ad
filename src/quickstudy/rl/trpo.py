"""Trust-region policy optimisation (Schulman et al., 2015, https://arxiv.org/abs/1502.05477)."""

from typing import Any

import equinox as eqx
import jax
import optax
from jaxtyping import Array, PyTree, Scalar

from quickstudy.rl.batch import Batch, gradient_of, thoughts, value_error
from quickstudy.rl.distributions import ActionDistribution
from quickstudy.rl.policy import MetaPolicy
from quickstudy.rl.ppo import Metrics
from quickstudy.rl.trust_region import RegionProblem, TrustRegion, trust_region_step


class TRPO(eqx.Module):
    """The largest step along the natural gradient that a trust region allows, as RL² was trained.

        max_θ E[ρ A]   s.t.   E[KL(π_old ‖ π_θ)] ≤ δ;      step = √(2δ / xᵀFx) x,   F x = ∇E[ρ A]

    The step is `trust_region_step`'s, of everything but the critic, which reads what the policy
    remembers and is fitted by descent afterwards.

    Attributes:
        optimiser: descends the critic's error; it does not touch the policy.
        region: δ, and how the step is searched.
        critic_steps: descent steps of the critic.
    """

    optimiser: optax.GradientTransformation = eqx.field(static=True)
    region: TrustRegion = eqx.field(static=True, default=TrustRegion())
    critic_steps: int = eqx.field(static=True, default=10)
    # The constraint is one on the whole batch.
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
        parameters, rest = eqx.partition(policy, eqx.is_inexact_array)
        found, metrics = trust_region_step(parameters, problem(policy, batch), self.region)
        return eqx.combine(found, rest), metrics


def problem(policy: MetaPolicy, batch: Batch) -> RegionProblem:
    """E[ρ A] and E[KL(π_old ‖ π_θ)] over the real steps.

    Args:
        policy: what its arrays are is replaced by θ.
        batch: this device's share.
    """
    rest = eqx.partition(policy, eqx.is_inexact_array)[1]

    def actions(parameters: PyTree) -> ActionDistribution:
        return thoughts(eqx.combine(parameters, rest), batch).actions

    return RegionProblem(actions, batch.taken.surrogate, batch.taken.divergence)


def _critic_loss(policy: MetaPolicy, batch: Batch) -> tuple[Array, dict[str, Array]]:
    return value_error(thoughts(policy, batch), batch), {}
