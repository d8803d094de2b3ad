"""ANIL, whose inner loop moves the head, and BOIL, whose inner loop moves the body."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.experiments.methods.maml import InnerStepsConfig
from quickstudy.experiments.problem import ExampleProblem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class ANILConfig(InnerStepsConfig):
    """MAML whose inner loop moves the head only."""

    name: ClassVar[str] = "anil"
    source: ClassVar[str] = "Raghu et al., 2020, https://arxiv.org/abs/1909.09157"

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """ANIL."""
        from quickstudy.learners.anil import ANIL

        return ANIL(self.model(problem, seed), **self.how(problem))


@dataclass(frozen=True)
class BOILConfig(InnerStepsConfig):
    """MAML whose inner loop moves the body only."""

    name: ClassVar[str] = "boil"
    source: ClassVar[str] = "Oh et al., 2021, https://arxiv.org/abs/2008.08882"

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """BOIL; a head of zeros would pass no gradient to the body."""
        from quickstudy.learners.anil import BOIL

        return BOIL(self.model(problem, seed, drawn=True), **self.how(problem))
