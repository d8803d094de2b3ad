"""Ridge regression as the inner loop: R2-D2."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class RidgeConfig(LearnerMethod):
    """A head in closed form on learned features (R2-D2)."""

    name: ClassVar[str] = "ridge"
    source: ClassVar[str] = "Bertinetto et al., 2019, https://arxiv.org/abs/1805.08136"

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """A body, and a head in closed form."""
        from quickstudy.learners.ridge import RidgeRegression

        return RidgeRegression(self.features(problem, seed)[0], loss=problem.loss)
