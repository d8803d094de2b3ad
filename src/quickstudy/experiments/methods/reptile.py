"""Reptile: towards what fine-tuning finds."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem, Problem

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class ReptileConfig(LearnerMethod):
    """Steps towards the weights that fine-tuning finds; `--learning-rate` is the step size ε."""

    name: ClassVar[str] = "reptile"
    source: ClassVar[str] = "Nichol et al., 2018, https://arxiv.org/abs/1803.02999"

    inner_lr: float = 1e-3
    """Adam's learning rate in the inner loop."""
    inner_steps: int = 5
    """k, the number of inner steps in training."""
    test_inner_steps: int = 50
    """k in validation and tests."""
    inner_batch: int = 10
    """Examples per inner step in training."""
    moments: Literal["kept", "anew"] = "kept"
    """Adam's second moments: `kept` from task to task, as in the authors' code, or reset in each
    (`anew`)."""

    def budget(self, problem: Problem) -> Budget:
        """ε starts at 1."""
        return replace(super().budget(problem), learning_rate=1.0)

    def unread(self) -> frozenset[str]:
        """There is no gradient to shorten, and the outer step is not Adam's."""
        return frozenset({"clip", "warm_up", "weight_decay"})

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """Reptile with Adam without momentum inside."""
        import optax

        from quickstudy.inner import Optimiser
        from quickstudy.learners.kept_adam import KeptAdam
        from quickstudy.learners.reptile import Reptile

        model, rate = self.model(problem, seed), self.inner_lr
        # No `eps_root` as in other inner loops: nothing is differentiated through this Adam.
        anew = Optimiser(optax.adam(rate, b1=0.0))
        return Reptile(
            model,
            KeptAdam.like(model, rate) if self.moments == "kept" else anew,
            batch=self.inner_batch,
            steps=self.inner_steps,
            test_steps=self.test_inner_steps,
            loss=problem.loss,
        )

    def optimiser(self, budget: Budget) -> "optax.GradientTransformation":
        """θ + ε (φ − θ), with ε falling to zero on a line."""
        import optax

        updates = budget.steps // budget.accumulate
        return optax.sgd(optax.linear_schedule(budget.learning_rate, 0.0, updates))
