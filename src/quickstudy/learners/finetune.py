"""The habit that MAML extends: train on everything, then fine-tune on the task."""

from typing import Any

import equinox as eqx
from jaxtyping import PRNGKeyArray, PyTree, Scalar

from quickstudy.learners.descent import descent, predictors
from quickstudy.learners.inner import Rate
from quickstudy.learners.learner import Learner, Metrics, Predictor, Progress, check_outputs
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples, Task


class JointFineTuning(Learner):
    """One network trained on all tasks at once, then fine-tuned on each support set.

    The baseline "pretrained on all tasks" of Finn et al. (2017, https://arxiv.org/abs/1703.03400):
    meta-training minimises Σ_i L(θ, D_i^ts), as if all tasks were one; only at test does f_adapt
    take `steps` steps of gradient descent on the support loss.

    Attributes:
        model: θ, any network from `[n, ...]` to `[n, outputs]`.
        inner_lr: α, the step size of fine-tuning.
        steps: k, the number of fine-tuning steps.
        loss: L, for both.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.JointFineTuning(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    model: Any
    inner_lr: float = eqx.field(static=True, default=0.01)
    steps: int = eqx.field(static=True, default=10)

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """θ_k."""
        return condition(self._descent(support, self.steps)[0], support.x)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """θ_0 … θ_steps on a first axis `[steps + 1, ...]`."""
        return predictors(*self._descent(support, steps), support)

    def unadapted(self, support: Examples) -> Predictor:
        """θ_0: the pre-trained network itself."""
        return condition(self.model, support.x)

    def meta_loss(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Scalar, Metrics]:
        """L(θ, D^ts): no adaptation in training."""
        return self.judge(self.unadapted(task.support)(task.query.x), task.query)

    def check(self, task: Task) -> None:
        """The model must have one output per class."""
        super().check(task)
        check_outputs(self, self.model, task)

    def _descent(self, support: Examples, steps: int) -> tuple[Any, PyTree]:
        return descent(self.model, support, self.loss, rule=Rate(self.inner_lr), steps=steps)
