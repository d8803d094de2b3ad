"""Implicit MAML: the meta-gradient at the end of the inner loop, wherever it went."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.learners.imaml import ImplicitForm
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class ImplicitFormConfig(Choice):
    """Base: how the inner loop and the linear system look."""

    @abc.abstractmethod
    def build(self) -> "ImplicitForm":
        """The form."""


@dataclass(frozen=True)
class ProximalFormConfig(ImplicitFormConfig):
    """Every inner step is held back near θ, as in the paper."""

    name: ClassVar[str] = "proximal"

    def build(self) -> "ImplicitForm":
        """The paper's."""
        from quickstudy.learners.imaml import ProximalForm

        return ProximalForm()


@dataclass(frozen=True)
class PullBackFormConfig(ImplicitFormConfig):
    """Plain inner steps, one pull back to θ at their end, and a damped system, as in the authors'
    code."""

    name: ClassVar[str] = "pull-back"

    damping: float = 1.0
    """δ, the damping that is added to the identity in the linear system."""

    def build(self) -> "ImplicitForm":
        """The authors'."""
        from quickstudy.learners.imaml import PullBackForm

        return PullBackForm(self.damping)


@dataclass(frozen=True)
class ImplicitMAMLConfig(LearnerMethod):
    """MAML with the implicit meta-gradient, which does not depend on the path of the inner
    steps."""

    name: ClassVar[str] = "imaml"
    source: ClassVar[str] = "Rajeswaran et al., 2019, https://arxiv.org/abs/1909.04630"

    # The authors' code (aravindr93/imaml_dev) takes 0.1, of PyTorch's cross-entropy, a mean.
    inner_lr: float = 0.1
    """α, the inner learning rate."""
    inner_steps: int = 10
    """k, the number of inner steps."""
    penalty: float = 2.0
    """λ, how strongly the task's weights are kept near θ."""
    cg_steps: int = 5
    """Iterations of conjugate gradients."""
    form: ImplicitFormConfig = ProximalFormConfig()
    """The inner loop's regularisation and the linear system: `proximal` as in the paper,
    `pull-back` as in the authors' code."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """Implicit MAML."""
        from quickstudy.learners.imaml import ImplicitMAML

        return ImplicitMAML(
            self.model(problem, seed),
            inner_lr=self.inner_lr,
            steps=self.inner_steps,
            penalty=self.penalty,
            cg_steps=self.cg_steps,
            form=self.form.build(),
            loss=problem.loss,
        )
