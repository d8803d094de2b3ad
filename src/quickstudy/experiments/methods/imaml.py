"""Implicit MAML: the meta-gradient at the end of the inner loop, wherever it went."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class ImplicitMAMLConfig(LearnerMethod):
    """MAML with the implicit meta-gradient, which does not look at the path."""

    name: ClassVar[str] = "imaml"
    source: ClassVar[str] = "Rajeswaran et al., 2019, https://arxiv.org/abs/1909.04630"

    # The authors' code (aravindr93/imaml_dev) takes 0.1, of PyTorch's cross-entropy, a mean.
    inner_lr: float = 0.1
    """α, the inner step size."""
    inner_steps: int = 10
    """k, inner steps."""
    penalty: float = 2.0
    """λ, how strongly the task's weights are held near θ."""
    cg_steps: int = 5
    """Steps of the conjugate gradients."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """Implicit MAML."""
        from quickstudy.learners.imaml import ImplicitMAML

        return ImplicitMAML(
            self.model(problem, seed),
            inner_lr=self.inner_lr,
            steps=self.inner_steps,
            penalty=self.penalty,
            cg_steps=self.cg_steps,
            loss=problem.loss,
        )
