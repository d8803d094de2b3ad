"""MAML: an initialisation from which a few gradient steps suffice."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, PyTree

from quickstudy.learners.learner import Learner, Predictor, check_outputs
from quickstudy.learners.losses import Loss, cross_entropy
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples, Task


class MAML(Learner):
    """Model-agnostic meta-learning (Finn et al., 2017, https://arxiv.org/abs/1703.03400).

    f_adapt is `steps` steps of gradient descent on the support loss, θ_{j+1} = θ_j − α ∇L(θ_j),
    from the meta-learned θ_0 = `model`. The meta-gradient runs through them exactly:
    ∇L^ts(θ_k) · Π_j (I − α ∇²L^tr(θ_j)). Each step is recomputed on the way back, so memory does
    not grow with the activations of all steps.

    Attributes:
        model: θ, any network from `[n, ...]` to `[n, outputs]`.
        inner_lr: α, the inner step size.
        steps: k, the number of inner steps.
        loss: L, for both loops.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.MAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    model: Any
    inner_lr: float = eqx.field(static=True, default=0.4)
    steps: int = eqx.field(static=True, default=1)
    loss: Loss = eqx.field(static=True, default=cross_entropy)

    def descend(self, model: Any, support: Examples) -> Any:
        """One inner step: θ − α ∇L(θ, D^tr)."""

        def support_loss(model: Any) -> Any:
            return self.loss(model(support.x), support.y)

        gradient = eqx.filter_grad(support_loss)(model)
        return eqx.apply_updates(model, jax.tree.map(lambda g: -self.inner_lr * g, gradient))

    def path(self, support: Examples, steps: int) -> tuple[Any, PyTree]:
        """θ_k, and θ_0 … θ_{k−1} stacked on a first axis `[steps, ...]`."""
        start, rest = eqx.partition(self.model, eqx.is_inexact_array)

        def step(parameters: Any, _: None) -> tuple[Any, Any]:
            model = self.descend(eqx.combine(parameters, rest), support)
            return eqx.filter(model, eqx.is_inexact_array), parameters

        end, passed = jax.lax.scan(jax.checkpoint(step), start, length=steps)
        return eqx.combine(end, rest), passed

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """θ_k, conditioned on the support set's statistics if the model keeps any."""
        return condition(self.path(support, self.steps)[0], support.x)

    def unadapted(self, support: Examples) -> Predictor:
        """θ_0: the initialisation itself."""
        return condition(self.model, support.x)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """θ_0 … θ_steps on a first axis `[steps + 1, ...]`: more steps than in training, too."""
        end, passed = self.path(support, steps)
        rest = eqx.filter(self.model, eqx.is_inexact_array, inverse=True)
        return jax.lax.map(
            lambda parameters: condition(eqx.combine(parameters, rest), support.x),
            jax.tree.map(
                lambda before, last: jnp.concatenate([before, last[None]]),
                passed,
                eqx.filter(end, eqx.is_inexact_array),
            ),
        )

    def check(self, task: Task) -> None:
        """The model must have one output per class."""
        check_outputs(self, self.model, task)
