"""MAML: an initialisation from which a few gradient steps suffice."""

from typing import Any

import equinox as eqx
from jaxtyping import PRNGKeyArray, PyTree

from quickstudy.learners.descent import descent, predictors
from quickstudy.learners.learner import Learner, Predictor, check_outputs
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

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """θ_k, conditioned on the support set's statistics if the model keeps any."""
        return condition(self._descent(support, self.steps)[0], support.x)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """θ_0 … θ_steps on a first axis `[steps + 1, ...]`; more steps than in training, too."""
        return predictors(*self._descent(support, steps), support)

    def unadapted(self, support: Examples) -> Predictor:
        """θ_0: the initialisation itself."""
        return condition(self.model, support.x)

    def check(self, task: Task) -> None:
        """The model must have one output per class."""
        check_outputs(self, self.model, task)

    def _descent(self, support: Examples, steps: int) -> tuple[Any, PyTree]:
        return descent(self.model, support, self.loss, rate=self.inner_lr, steps=steps)
