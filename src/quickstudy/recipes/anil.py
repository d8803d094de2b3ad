"""ANIL, whose inner loop moves the head, and BOIL, whose inner loop moves the body."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.recipes.data import OnImages
from quickstudy.recipes.lengths import Long, Short, Waves
from quickstudy.recipes.maml import WithInnerSteps

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithANIL(WithInnerSteps):
    """ANIL."""

    source: ClassVar[str] = "Raghu et al., 2020, https://arxiv.org/abs/1909.09157"

    def learner(self) -> "Learner":
        """MAML whose inner loop moves the head."""
        from quickstudy.learners.anil import ANIL

        return ANIL(self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss)


@dataclass(frozen=True)
class ANILGlyphs(WithANIL, Short):
    """ANIL on warped printed characters."""

    name: ClassVar[str] = "anil-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"
    inner_steps: int = 5


@dataclass(frozen=True)
class ANILOmniglot(WithANIL, Long):
    """ANIL on Omniglot."""

    name: ClassVar[str] = "anil-omniglot"
    reaches: ClassVar[str] = "no comparable published figure (20-way 1-shot: 96.2 %)"
    takes: ClassVar[str] = "about 30 min on 2 cores"
    inner_steps: int = 5


@dataclass(frozen=True)
class ANILSinusoid(WithANIL, Waves):
    """ANIL on sinusoids."""

    name: ClassVar[str] = "anil-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "1 min on 2 cores"
    inner_lr: float = 0.01
    inner_steps: int = 5


@dataclass(frozen=True)
class WithBOIL(WithInnerSteps, OnImages):
    """BOIL."""

    source: ClassVar[str] = "Oh et al., 2021, https://arxiv.org/abs/2008.08882"

    def model(self) -> Any:
        """A head of zeros would pass no gradient to the body."""
        import jax

        from quickstudy.nets.network import Headed, Linear

        headed = super().model()
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        features = headed.head.weight.shape[0]
        return Headed(headed.body, Linear.create(features, self.ways, key=key))

    def learner(self) -> "Learner":
        """MAML whose inner loop moves the body."""
        from quickstudy.learners.anil import BOIL

        return BOIL(self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss)


@dataclass(frozen=True)
class BOILGlyphs(WithBOIL, Short):
    """BOIL on warped printed characters."""

    name: ClassVar[str] = "boil-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"


@dataclass(frozen=True)
class BOILOmniglot(WithBOIL, Long):
    """BOIL on Omniglot."""

    name: ClassVar[str] = "boil-omniglot"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "about 30 min on 2 cores"
