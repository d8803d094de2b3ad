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

    # The paper takes MAML's 0.1 and five steps on 20 ways. If its code (we know of none that is
    # published) sums the loss as MAML's does, that is 2.0 of a mean on 20 ways and 0.5 on 5.
    # Omniglot, five steps, 300 test tasks: on 5 ways after 500 steps of 32 tasks 87 ± 2 % at 0.4,
    # 81 ± 2 % at 2.0; on 20 ways after 150 steps of 4 tasks 31 ± 1 and 48 ± 1 %.
    inner_lr: float = 0.5
    """α, the inner learning rate for a mean loss; give 2 on 20 ways."""

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
    """α, the inner learning rate."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """BOIL; a head of zeros would pass no gradient to the body."""
        from quickstudy.learners.anil import BOIL

        return BOIL(self.model(problem, seed, drawn=True), **self.how(problem))
