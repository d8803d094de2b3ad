"""Meta-SGD: a learned rate for every number."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class MetaSGDConfig(LearnerMethod):
    """MAML with a learned rate for every number."""

    name: ClassVar[str] = "meta-sgd"
    source: ClassVar[str] = "Li et al., 2017, https://arxiv.org/abs/1707.09835"

    inner_lr: float = 0.1
    """All rates at the start."""
    inner_steps: int = 1
    """k, inner steps."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """Meta-SGD."""
        from quickstudy.learners.meta_sgd import MetaSGD

        how = {"inner_lr": self.inner_lr, "steps": self.inner_steps, "loss": problem.loss}
        return MetaSGD.create(self.model(problem, seed), **how)
