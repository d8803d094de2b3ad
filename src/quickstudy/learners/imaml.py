"""Implicit MAML: the meta-gradient of a converged inner loop, without its path."""

import abc
import dataclasses
from typing import Any

import equinox as eqx
import jax
from jaxtyping import PRNGKeyArray, PyTree

from quickstudy.conjugate_gradients import conjugate_gradients
from quickstudy.errors import BadInput, demand_counts
from quickstudy.inner import InnerRule, Rate
from quickstudy.learners.descent import support_gradient
from quickstudy.learners.learner import Learner, Metrics, Progress
from quickstudy.learners.maml import GradientBased
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples, Task


class Proximal(InnerRule):
    """θ' − α (g + λ (θ' − θ)): descent that is held back near where it began."""

    start_at: PyTree
    penalty: float = eqx.field(static=True)
    rate: float = eqx.field(static=True)

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        def moved(t: Any, g: Any, origin: Any) -> Any:
            return t - self.rate * (g + self.penalty * (t - origin))

        return jax.tree.map(moved, theta, gradient, self.start_at), state


class ImplicitForm(abc.ABC):
    """How the inner loop and the linear system look."""

    @abc.abstractmethod
    def rule(self, start: PyTree, penalty: float, rate: float) -> InnerRule:
        """How φ moves from θ = `start`."""

    @abc.abstractmethod
    def end(self, phi: PyTree, start: PyTree, step: float) -> PyTree:
        """Where the meta-gradient is taken, after the last step; `step` is α λ."""

    @abc.abstractmethod
    def product(self, v: PyTree, hv: PyTree, penalty: float) -> PyTree:
        """A v, from v and ∇²L^tr(φ) v."""


@dataclasses.dataclass(frozen=True)
class ProximalForm(ImplicitForm):
    """The paper's: descent on L^tr(φ) + λ/2 ‖φ − θ‖², and A = I + ∇²L^tr(φ) / λ."""

    def rule(self, start: PyTree, penalty: float, rate: float) -> InnerRule:
        return Proximal(start, penalty, rate)

    def end(self, phi: PyTree, start: PyTree, step: float) -> PyTree:
        return phi

    def product(self, v: PyTree, hv: PyTree, penalty: float) -> PyTree:
        return jax.tree.map(lambda v, hv: v + hv / penalty, v, hv)


@dataclasses.dataclass(frozen=True)
class PullBackForm(ImplicitForm):
    """That of the authors' code (https://github.com/aravindr93/imaml_dev): descent on L^tr alone,
    in meta-training one pull back to θ at its end, φ − α λ (φ − θ), and a damped system,
    A = (1 + δ) I + ∇²L^tr(φ) / (λ + ρ). Its solution is no derivative of this inner loop.

    Attributes:
        damping: δ.
        stiffening: ρ.
    """

    damping: float = 1.0
    stiffening: float = 10.0

    def rule(self, start: PyTree, penalty: float, rate: float) -> InnerRule:
        return Rate(rate)

    def end(self, phi: PyTree, start: PyTree, step: float) -> PyTree:
        return jax.tree.map(lambda p, origin: p - step * (p - origin), phi, start)

    def product(self, v: PyTree, hv: PyTree, penalty: float) -> PyTree:
        own = 1 + self.damping
        return jax.tree.map(lambda v, hv: own * v + hv / (penalty + self.stiffening), v, hv)


class ImplicitMAML(GradientBased):
    """MAML with implicit gradients (Rajeswaran et al., 2019, https://arxiv.org/abs/1909.04630).

    f_adapt finds φ = argmin L^tr(φ) + λ/2 ‖φ − θ‖², by `steps` steps of descent. At the minimum,
    dφ/dθ = (I + ∇²L^tr(φ) / λ)⁻¹, so the meta-gradient is the solution g of

        (I + ∇²L^tr(φ) / λ) g = ∇L^ts(φ),

    found by conjugate gradients with Hessian-vector products: its memory does not grow with k. It
    is exact once the inner loop and the conjugate gradients have converged.

    Attributes:
        model: θ.
        inner_lr: α.
        steps: k.
        penalty: λ; the paper's Omniglot value is 2.
        cg_steps: of the conjugate gradients; 5 in the paper.
        form: `ProximalForm()`, the above, or `PullBackForm()`, what the authors' code does.
        loss: L.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.ImplicitMAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> gradient, metrics = learner.meta_gradient(task)
    """

    inner_lr: float = eqx.field(static=True, default=0.1)
    steps: int = eqx.field(static=True, default=16, kw_only=True)
    penalty: float = eqx.field(static=True, default=2.0)
    cg_steps: int = eqx.field(static=True, default=5)
    form: ImplicitForm = eqx.field(static=True, default=ProximalForm())

    def __check_init__(self):
        if not self.penalty > 0:
            raise BadInput(
                f"penalty is {self.penalty}, and the meta-gradient divides by it; give a number "
                "above 0, such as the paper's 2"
            )
        # Without a step the solution is 0, and nothing would be learned.
        demand_counts(cg_steps=self.cg_steps)

    def inner_rule(self) -> InnerRule:
        """Descent on the support loss and λ/2 ‖φ − θ‖², or as another form has it."""
        start = eqx.filter(self.model, eqx.is_inexact_array)
        return self.form.rule(start, self.penalty, self.inner_lr)

    def meta_gradient(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Learner, Metrics]:
        """(I + ∇²L^tr(φ) / λ)⁻¹ ∇L^ts(φ)."""
        start, rest = eqx.partition(self.model, eqx.is_inexact_array)
        descended = eqx.filter(self._descent(task.support, self.steps)[0], eqx.is_inexact_array)
        end = self.form.end(descended, start, self.inner_lr * self.penalty)
        # The linear system below stands for the derivative of the path, which need not be stored.
        found = jax.lax.stop_gradient(end)

        def query_loss(phi: PyTree) -> tuple[Any, Any]:
            # Inside the loss, so that the support set's statistics are differentiated with φ.
            model = condition(eqx.combine(phi, rest), task.support.x)
            return self.judge(model(task.query.x), task.query)

        (_, metrics), slope = jax.value_and_grad(query_loss, has_aux=True)(found)
        solved = conjugate_gradients(
            lambda v: self._curvature(found, rest, task.support, v), slope, self.cg_steps
        )
        template = eqx.filter(self, eqx.is_inexact_array)
        gradient = eqx.tree_at(lambda learner: learner.model, template, solved.x)
        return gradient, metrics

    def _curvature(self, phi: PyTree, rest: PyTree, support: Examples, v: PyTree) -> PyTree:
        """A v: (I + ∇²L^tr(φ) / λ) v, or as another form has it."""

        def gradient(phi: PyTree) -> PyTree:
            found = support_gradient(eqx.combine(phi, rest), support, self.loss)
            return eqx.filter(found, eqx.is_inexact_array)

        # Forward over reverse: a product costs about two gradients, and no Hessian is ever formed.
        _, hv = jax.jvp(gradient, (phi,), (v,))
        return self.form.product(v, hv, self.penalty)
