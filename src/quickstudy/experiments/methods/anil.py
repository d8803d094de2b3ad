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

    # The paper takes MAML's settings: 0.1 and five steps on 20 ways, which is 2.0 per mean loss if
    # its code (we know of none that is published) sums as MAML's does. Omniglot, 20 ways, 150 steps
    # of 4 tasks (300 test tasks, ± 1): 48 % at 2.0, 31 % at 0.4.
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

    # The authors' code (jhoon-oh/BOIL, run_4conv.sh) takes one step at 0.5 with four convolutions,
    # of PyTorch's cross-entropy, a mean: nothing to translate.
    inner_lr: float = 0.5
    """α, the inner step size."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """BOIL; a head of zeros would pass no gradient to the body."""
        from quickstudy.learners.anil import BOIL

        return BOIL(self.model(problem, seed, drawn=True), **self.how(problem))
