"""MAML, its first-order form, and one network trained on all tasks at once."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import BadInput
from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem, Problem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner

FINN = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"

# Rates are per mean loss. The authors' code (cbfinn/maml, `xent` in utils.py) divides the losses of
# the N K support examples by K alone, so that its gradient is N times ours. Its rates, translated:
# Omniglot 5-way 0.4 × 5 = 2.0, one step; 20-way 0.1 × 20 = 2.0, five steps; miniImageNet 5-way
# 0.01 × 5 = 0.05, five steps. Its squared error is a mean: 0.01 on sinusoids stays.


@dataclass(frozen=True)
class InnerStepsConfig(LearnerMethod):
    """Base: any learner with a rate and a number of inner steps."""

    at_test: ClassVar[tuple[str, ...]] = ("test_inner_steps",)

    inner_lr: float = 2.0
    """α, the inner learning rate for a mean loss. The paper's rates on Omniglot, 0.4 (5-way) and
    0.1 (20-way), are for a loss summed over the classes; both are 2.0 here."""
    inner_steps: int = 1
    """k, the number of inner steps in training."""
    test_inner_steps: int = 0
    """Inner steps in validation and tests; with 0, as many as in training."""

    def for_test(self, learner: "Learner") -> "Learner":
        """With the number of inner steps for test."""
        changed: Any = learner
        return replace(changed, steps=self.test_inner_steps or self.inner_steps)

    def how(self, problem: ExampleProblem) -> dict[str, Any]:
        """Rate, steps and loss, as the learners take them."""
        return {"inner_lr": self.inner_lr, "steps": self.inner_steps, "loss": problem.loss}


@dataclass(frozen=True)
class MAMLConfig(InnerStepsConfig):
    """Inner steps of gradient descent from a learned start, and the exact gradient through them."""

    name: ClassVar[str] = "maml"
    source: ClassVar[str] = FINN

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """MAML."""
        from quickstudy.learners.maml import MAML

        return MAML(self.model(problem, seed), **self.how(problem))


@dataclass(frozen=True)
class FirstOrderMAMLConfig(InnerStepsConfig):
    """MAML without second derivatives in the meta-gradient."""

    name: ClassVar[str] = "fomaml"
    source: ClassVar[str] = FINN

    # Searched, for without second derivatives nothing tells θ that a step at the translated 2.0 is
    # long. Omniglot, 5-way 1-shot, 150 steps of 12 tasks with --norm batch (300 test tasks, ± 2):
    # five steps at 0.5 have 73 %, at 1.0 72 %, at 0.1 60 %; one step at 0.4 51 %, at 2.0 37 %.
    # Glyphs, 300 steps of 8 tasks: 53 % by five at 0.5, 44 % by one at 0.4, 36 % by one at 2.0.
    inner_lr: float = 0.5
    """α, the inner learning rate for a mean loss."""
    inner_steps: int = 5
    """k, the number of inner steps in training."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """First-order MAML."""
        from quickstudy.learners.first_order import FirstOrderMAML

        return FirstOrderMAML(self.model(problem, seed), **self.how(problem))


@dataclass(frozen=True)
class PretrainedConfig(InnerStepsConfig):
    """One network trained on all tasks at once, and fine-tuned on each: MAML's baseline."""

    name: ClassVar[str] = "pretrained"
    source: ClassVar[str] = FINN

    inner_lr: float = 3e-4
    """α, the learning rate of fine-tuning, the best on validation tasks; MAML's 0.01 diverges
    here."""

    def check(self, problem: Problem) -> None:
        """Class 3 of one task is not class 3 of the next."""
        super().check(problem)
        if isinstance(problem, ExampleProblem) and problem.classification:
            raise BadInput(
                f"pretrained learns one function for all tasks, and the classes of {problem.name} "
                "have other numbers in every task; give the method transfer, which pre-trains on "
                "all classes"
            )

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """MAML's network, trained jointly."""
        from quickstudy.learners.transfer import JointFineTuning

        return JointFineTuning(self.model(problem, seed), **self.how(problem))
