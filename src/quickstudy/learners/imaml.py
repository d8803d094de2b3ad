"""Implicit MAML: the meta-gradient of a converged inner loop, without its path."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import PRNGKeyArray, PyTree

from quickstudy.conjugate_gradients import conjugate_gradients
from quickstudy.errors import BadInput
from quickstudy.inner import InnerRule
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

    def __check_init__(self):
        if not self.penalty > 0:
            raise BadInput(
                f"penalty is {self.penalty}, and the meta-gradient divides by it; give a number "
                "above 0, such as the paper's 2"
            )

    def inner_rule(self) -> InnerRule:
        """Descent on the support loss and λ/2 ‖φ − θ‖²."""
        start = eqx.filter(self.model, eqx.is_inexact_array)
        return Proximal(start, self.penalty, self.inner_lr)

    def meta_gradient(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Learner, Metrics]:
        """(I + ∇²L^tr(φ) / λ)⁻¹ ∇L^ts(φ)."""
        # The linear system below stands for the derivative of the path, which need not be stored.
        found = jax.lax.stop_gradient(
            eqx.filter(self._descent(task.support, self.steps)[0], eqx.is_inexact_array)
        )
        rest = eqx.filter(self.model, eqx.is_inexact_array, inverse=True)

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
        """(I + ∇²L^tr(φ) / λ) v."""

        def gradient(phi: PyTree) -> PyTree:
            found = support_gradient(eqx.combine(phi, rest), support, self.loss)
            return eqx.filter(found, eqx.is_inexact_array)

        # Forward over reverse: a product costs about two gradients, and no Hessian is ever formed.
        _, hv = jax.jvp(gradient, (phi,), (v,))
        return jax.tree.map(lambda v, hv: v + hv / self.penalty, v, hv)
