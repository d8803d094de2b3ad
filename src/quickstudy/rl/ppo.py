"""Proximal policy optimisation over whole trials, and the plain policy gradient."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from quickstudy.errors import demand_counts
from quickstudy.mesh import Metrics
from quickstudy.rl.batch import Batch, gradient_of, thoughts, value_error
from quickstudy.rl.policy import MetaPolicy
from quickstudy.rl.surrogate import clipped


@runtime_checkable
class Improvement(Protocol):
    """What makes a policy better, from a batch of its own trials."""

    minibatches: int
    """How many equal shares of trials it wants the batch in."""

    def init(self, policy: MetaPolicy) -> Any:
        """The state before the first improvement: an optimiser's moments."""
        ...

    def improve(
        self, policy: MetaPolicy, state: Any, batch: Batch
    ) -> tuple[MetaPolicy, Any, Metrics]:
        """A better policy, from a batch `[minibatches, parts, time]`. Metrics hold a `loss`."""
        ...


class PPO(eqx.Module):
    """Proximal policy optimisation (Schulman et al., 2017, https://arxiv.org/abs/1707.06347).

        L = −E[min(ρ A, clip(ρ, 1 ± ε) A)] + c_v E[½(V − target)²] − c_e E[H],   ρ = π(a)/π_old(a)

    Minibatches are whole trials, always the same ones in the same order: trials are exchangeable,
    so that drawing them anew would change nothing.

    Attributes:
        optimiser: descends L.
        epochs: how often each minibatch is used.
        minibatches: how many there are.
        clip: ε.
        value_weight: c_v; errors are measured in the targets' standard deviation.
        entropy_weight: c_e.

    Raises:
        BadInput: no epoch or no minibatch.
    """

    optimiser: optax.GradientTransformation = eqx.field(static=True)
    epochs: int = eqx.field(static=True, default=4)
    minibatches: int = eqx.field(static=True, default=4)
    clip: float = eqx.field(static=True, default=0.2)
    value_weight: float = eqx.field(static=True, default=0.5)
    entropy_weight: float = eqx.field(static=True, default=0.003)

    def __check_init__(self) -> None:
        demand_counts(epochs=self.epochs, minibatches=self.minibatches)

    def init(self, policy: MetaPolicy) -> Any:
        """The optimiser's state."""
        return self.optimiser.init(eqx.filter(policy, eqx.is_inexact_array))

    def loss(
        self, policy: MetaPolicy, batch: Batch
    ) -> tuple[Float[Array, "parts time"], dict[str, Array]]:
        """L at every step, `[parts, time]`."""
        thought = thoughts(policy, batch)
        change = thought.actions.log_prob(batch.action) - batch.log_prob
        ratio = jnp.exp(change)
        gain = clipped(self.clip)(ratio, batch.advantage)
        error, entropy = value_error(thought, batch), thought.actions.entropy()
        each = -gain + self.value_weight * error - self.entropy_weight * entropy
        # E[ρ − 1 − log ρ] estimates KL(old ‖ new) with little variance.
        return each, {"value_error": error, "entropy": entropy, "kl": ratio - 1 - change}

    def improve(
        self, policy: MetaPolicy, state: Any, batch: Batch
    ) -> tuple[MetaPolicy, Any, Metrics]:
        """`epochs` passes over the minibatches."""
        parameters, rest = eqx.partition(policy, eqx.is_inexact_array)

        def descend(carry: Any, share: Batch) -> tuple[Any, Metrics]:
            parameters, state = carry
            policy = eqx.combine(parameters, rest)
            policy, state, metrics = _descended(self, policy, state, share)
            return (eqx.filter(policy, eqx.is_inexact_array), state), metrics

        def epoch(carry: Any, _: None) -> Any:
            return jax.lax.scan(descend, carry, batch)

        (parameters, state), metrics = jax.lax.scan(epoch, (parameters, state), length=self.epochs)
        return eqx.combine(parameters, rest), state, jax.tree.map(jnp.mean, metrics)


class PolicyGradient(eqx.Module):
    """The plain policy gradient, ∇ E[log π(a_t) A_t], as REINFORCE with a baseline
    (Williams, 1992, https://doi.org/10.1007/BF00992696).

    RL² subtracts from A_t the batch's mean at that time and the critic's value, neither of which
    depends on a_t, and divides all of a batch by one number: the gradient's direction is expected
    to be that of ∇J, its length is not.

    Attributes:
        optimiser: descends −E[log π A] + c_v E[½(V − target)²] − c_e E[H].
        value_weight: c_v.
        entropy_weight: c_e.
    """

    optimiser: optax.GradientTransformation = eqx.field(static=True)
    value_weight: float = eqx.field(static=True, default=0.5)
    entropy_weight: float = eqx.field(static=True, default=0.003)
    minibatches: int = eqx.field(static=True, default=1, init=False)

    def init(self, policy: MetaPolicy) -> Any:
        """The optimiser's state."""
        return self.optimiser.init(eqx.filter(policy, eqx.is_inexact_array))

    def loss(
        self, policy: MetaPolicy, batch: Batch
    ) -> tuple[Float[Array, "parts time"], dict[str, Array]]:
        """The loss at every step, `[parts, time]`."""
        thought = thoughts(policy, batch)
        gain = thought.actions.log_prob(batch.action) * batch.advantage
        error, entropy = value_error(thought, batch), thought.actions.entropy()
        each = -gain + self.value_weight * error - self.entropy_weight * entropy
        return each, {"value_error": error, "entropy": entropy}

    def improve(
        self, policy: MetaPolicy, state: Any, batch: Batch
    ) -> tuple[MetaPolicy, Any, Metrics]:
        """One step along the gradient."""
        return _descended(self, policy, state, jax.tree.map(lambda x: x[0], batch))


def _descended(
    rule: PPO | PolicyGradient, policy: MetaPolicy, state: Any, batch: Batch
) -> tuple[MetaPolicy, Any, Metrics]:
    """The policy after one step of the rule's optimiser down its loss."""
    gradient, metrics = gradient_of(rule.loss, policy, batch)
    parameters = eqx.filter(policy, eqx.is_inexact_array)
    updates, state = rule.optimiser.update(gradient, state, parameters)
    metrics = {**metrics, "gradient_norm": optax.tree.norm(gradient)}
    return eqx.apply_updates(policy, updates), state, metrics
