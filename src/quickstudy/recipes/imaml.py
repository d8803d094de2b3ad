"""Implicit MAML: the meta-gradient at the end of the inner loop, wherever it went."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.data import OnData
from quickstudy.recipes.lengths import Long, Short

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithImplicit(OnData):
    """Implicit MAML."""

    source: ClassVar[str] = "Rajeswaran et al., 2019, https://arxiv.org/abs/1909.04630"

    inner_lr: float = 0.1
    """α, the inner step size."""
    inner_steps: int = 10
    """k, inner steps."""
    penalty: float = 2.0
    """λ, how strongly the task's weights are held near θ."""
    cg_steps: int = 5
    """Steps of the conjugate gradients."""

    def learner(self) -> "Learner":
        """MAML with the implicit meta-gradient."""
        from quickstudy.learners.imaml import ImplicitMAML

        return ImplicitMAML(
            self.model(),
            inner_lr=self.inner_lr,
            steps=self.inner_steps,
            penalty=self.penalty,
            cg_steps=self.cg_steps,
            loss=self.loss,
        )


@dataclass(frozen=True)
class ImplicitGlyphs(WithImplicit, Short):
    """Implicit MAML on warped printed characters."""

    name: ClassVar[str] = "imaml-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "6 min on 2 cores"
    steps: int = 1500


@dataclass(frozen=True)
class ImplicitOmniglot(WithImplicit, Long):
    """Implicit MAML on Omniglot."""

    name: ClassVar[str] = "imaml-omniglot"
    reaches: ClassVar[str] = "99.16 / 99.67 / 94.46 / 98.69 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 3 h on 2 cores"
