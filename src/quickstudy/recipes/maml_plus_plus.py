"""MAML++: MAML with what makes it train well."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.data import OnData
from quickstudy.recipes.lengths import Long, Short, Waves

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithMAMLPlusPlus(OnData):
    """MAML++."""

    source: ClassVar[str] = "Antoniou et al., 2019, https://arxiv.org/abs/1810.09502"

    inner_lr: float = 0.1
    """All rates at the start."""
    inner_steps: int = 5
    """k, inner steps."""

    def learner(self) -> "Learner":
        """MAML with what makes it train well."""
        from quickstudy.learners.maml_plus_plus import MAMLPlusPlus

        return MAMLPlusPlus.create(
            self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss
        )


@dataclass(frozen=True)
class MAMLPlusPlusGlyphs(WithMAMLPlusPlus, Short):
    """MAML++ on warped printed characters."""

    name: ClassVar[str] = "maml++-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "6 min on 2 cores"
    steps: int = 1500
    inner_steps: int = 3


@dataclass(frozen=True)
class MAMLPlusPlusOmniglot(WithMAMLPlusPlus, Long):
    """MAML++ on Omniglot."""

    name: ClassVar[str] = "maml++-omniglot"
    reaches: ClassVar[str] = "99.47 / 99.93 / 97.65 / 99.33 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 2 h on 2 cores"


@dataclass(frozen=True)
class MAMLPlusPlusSinusoid(WithMAMLPlusPlus, Waves):
    """MAML++ on sinusoids."""

    name: ClassVar[str] = "maml++-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"
    inner_lr: float = 0.01
