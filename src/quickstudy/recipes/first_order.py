"""First-order MAML: the Hessians taken as zero."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.lengths import Long, Short, Waves
from quickstudy.recipes.maml import WithInnerSteps

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithFirstOrder(WithInnerSteps):
    """First-order MAML."""

    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"

    def learner(self) -> "Learner":
        """MAML with Hessians taken as zero."""
        from quickstudy.learners.first_order import FirstOrderMAML

        return FirstOrderMAML(
            self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss
        )


@dataclass(frozen=True)
class FirstOrderGlyphs(WithFirstOrder, Short):
    """First-order MAML on warped printed characters."""

    name: ClassVar[str] = "fomaml-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"


@dataclass(frozen=True)
class FirstOrderOmniglot(WithFirstOrder, Long):
    """First-order MAML on Omniglot."""

    name: ClassVar[str] = "fomaml-omniglot"
    reaches: ClassVar[str] = "98.3 / 99.2 / 89.4 / 97.9 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 30 min on 2 cores"
    inner_lr: float = 0.1
    inner_steps: int = 5


@dataclass(frozen=True)
class FirstOrderSinusoid(WithFirstOrder, Waves):
    """First-order MAML on sinusoids."""

    name: ClassVar[str] = "fomaml-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "1 min on 2 cores"
    inner_lr: float = 0.01
