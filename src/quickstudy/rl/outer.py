"""How MAML for RL improves θ on what adapted policies did: a trust region, or an optimiser."""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree, Scalar

from quickstudy.errors import demand_counts
from quickstudy.mesh import total
from quickstudy.rl.surrogate import Gain, Taken, clipped
from quickstudy.rl.trust_region import Nearness, RegionProblem, TrustRegion, trust_region_step


class AdaptedActions(NamedTuple):
    """What an adaptation comes to, as a function of θ before it.

    Attributes:
        actions: what the adapted policies would do, `[tasks, stages, K, time]`.
        scores: of the trajectories that they adapted on, as the inner estimator has it (E-MAML).
    """

    actions: Any
    scores: Float[Array, "tasks stages"]


class Objective(NamedTuple):
    """Rewards after adaptation as a function of θ before it, on stored trajectories.

    Attributes:
        adapted: from θ to what its adaptation comes to.
        taken: what was done after adaptation, `[tasks, stages, K, time]`.
        gain: how much better an adapted policy's episodes were than those in other tasks, in the
            unit of the task's advantages: what its scores are worth.
        of_every: the same on every n-th trajectory of each task alone.
    """

    adapted: Callable[[PyTree], AdaptedActions]
    taken: Taken
    gain: Float[Array, "tasks stages"]
    of_every: Callable[[int], "Objective"]

    def surrogate(self, adapted: AdaptedActions, gain: Gain = jnp.multiply) -> Scalar:
        """E[gain(ρ, A)], ρ = π_θ'(a) / π_old(a), and E-MAML's score term: together, per step of an
        episode, ∇θ' J and J ∇log p(τ)."""
        episodes = self.taken.real.shape[2]
        scored = jnp.sum(adapted.scores * self.gain) * episodes / self.taken.number
        return self.taken.surrogate(adapted.actions, gain) + scored

    def divergence(self, old: AdaptedActions, now: AdaptedActions) -> Scalar:
        """E[KL(π_old ‖ π_θ')], of the adapted policies."""
        return self.taken.divergence(old.actions, now.actions)


class Outer(eqx.Module):
    """How θ is improved."""

    @abc.abstractmethod
    def init(self, parameters: PyTree) -> Any:
        """The state before the first step."""

    @abc.abstractmethod
    def improve(
        self, parameters: PyTree, state: Any, objective: Objective
    ) -> tuple[PyTree, Any, dict[str, Scalar]]:
        """Better parameters. Metrics hold a `loss`."""


class OuterTrustRegion(Outer):
    """TRPO, as in MAML's paper: the KL is that of the adapted policies.

    Attributes:
        region: δ, and how the step is searched.
        curvature_every: n; the Fisher matrix, whose products are what a step spends most of its
            time on, is estimated on every n-th trajectory of each task, before and after its
            adaptation. The gradient, and the KL that a step is accepted by, are always those of
            all trajectories.

    Raises:
        BadInput: n is less than 1.
    """

    region: TrustRegion = eqx.field(static=True, default=TrustRegion(damping=1e-3))
    curvature_every: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        demand_counts(curvature_every=self.curvature_every)

    def init(self, parameters: PyTree) -> Any:
        """Nothing."""
        return None

    def improve(
        self, parameters: PyTree, state: Any, objective: Objective
    ) -> tuple[PyTree, Any, dict[str, Scalar]]:
        """One step; the metric `accepted` is 0 where there was none to take."""
        parameters, metrics = trust_region_step(parameters, self.problem(objective), self.region)
        return parameters, state, metrics

    def problem(self, objective: Objective) -> RegionProblem:
        """What a step is asked for."""
        problem = RegionProblem(objective.adapted, objective.surrogate, objective.divergence)
        if self.curvature_every == 1:
            return problem
        # Some trajectories of every task: with every fifth task alone one step in six was refused,
        # and two inner steps went wrong (results/LAB.md, navigation).
        some = objective.of_every(self.curvature_every)
        return problem._replace(sample=Nearness(some.adapted, some.divergence))


class OuterAscent(Outer):
    """An optimiser up the clipped surrogate: with one epoch the plain policy gradient of the
    notes, with several ProMP's (Rothfuss et al., 2019, https://arxiv.org/abs/1810.06784), without
    its penalty on the KL divergence of the policies before adaptation: the clip alone keeps the
    adapted ones near.

    Attributes:
        optimiser: descends −E[min(ρ A, clip(ρ, 1 ± ε) A)].
        epochs: steps on the same trajectories.
        clip: ε; at a single epoch ρ is 1, and nothing is clipped.
    """

    optimiser: optax.GradientTransformation = eqx.field(static=True)
    epochs: int = eqx.field(static=True, default=1)
    clip: float = eqx.field(static=True, default=0.3)

    def init(self, parameters: PyTree) -> Any:
        """The optimiser's state."""
        return self.optimiser.init(parameters)

    def improve(
        self, parameters: PyTree, state: Any, objective: Objective
    ) -> tuple[PyTree, Any, dict[str, Scalar]]:
        """`epochs` steps."""

        def descend(carry: Any, _: None) -> tuple[Any, dict[str, Scalar]]:
            parameters, state = carry
            loss = lambda p: -objective.surrogate(objective.adapted(p), clipped(self.clip))  # noqa: E731
            value, gradient = total(jax.value_and_grad(loss)(parameters))
            updates, state = self.optimiser.update(gradient, state, parameters)
            found = {"loss": value, "gradient_norm": optax.tree.norm(gradient)}
            return (optax.apply_updates(parameters, updates), state), found

        (parameters, state), found = jax.lax.scan(descend, (parameters, state), length=self.epochs)
        # Of the first epoch, where θ is still what the trajectories were made with.
        return parameters, state, jax.tree.map(lambda x: x[0], found)
