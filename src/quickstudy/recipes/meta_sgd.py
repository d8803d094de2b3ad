"""Meta-SGD: a learned rate for every number."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.data import OnData
from quickstudy.recipes.lengths import Long, Short, Waves

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithMetaSGD(OnData):
    """Meta-SGD."""

    source: ClassVar[str] = "Li et al., 2017, https://arxiv.org/abs/1707.09835"

    inner_lr: float = 0.1
    """All rates at the start."""
    inner_steps: int = 1
    """k, inner steps."""

    def learner(self) -> "Learner":
        """MAML with a learned rate for every number."""
        from quickstudy.learners.meta_sgd import MetaSGD

        return MetaSGD.create(
            self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss
        )


@dataclass(frozen=True)
class MetaSGDGlyphs(WithMetaSGD, Short):
    """Meta-SGD on warped printed characters."""

    name: ClassVar[str] = "meta-sgd-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "3 min on 2 cores"


@dataclass(frozen=True)
class MetaSGDOmniglot(WithMetaSGD, Long):
    """Meta-SGD on Omniglot."""

    name: ClassVar[str] = "meta-sgd-omniglot"
    reaches: ClassVar[str] = "99.53 / 99.93 / 95.93 / 98.97 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 40 min on 2 cores"


@dataclass(frozen=True)
class MetaSGDSinusoid(WithMetaSGD, Waves):
    """Meta-SGD on sinusoids."""

    name: ClassVar[str] = "meta-sgd-sinusoid"
    reaches: ClassVar[str] = "squared error 0.90 after 1 step on 5 points (trained on 5)"
    takes: ClassVar[str] = "1 min on 2 cores"
    inner_lr: float = 0.01
