"""Prototypical networks: the default job, and Omniglot as the paper's table 1 has it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.data import OnGlyphs, OnImages, OnOmniglot

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithPrototypes(OnImages):
    """Prototypical networks."""

    source: ClassVar[str] = "Snell et al., 2017, https://arxiv.org/abs/1703.05175"

    train_ways: int = 20
    """Classes per training task; more than at test is what the paper recommends."""
    similarity: Literal["euclidean", "dot"] = "euclidean"
    """−‖f − c‖², as in the paper, or cᵀf, as in the course notes."""

    @property
    def training_ways(self) -> int:
        """More than at test."""
        return self.train_ways

    def learner(self) -> "Learner":
        """Conv4 as the embedding."""
        from quickstudy.learners import similarity
        from quickstudy.learners.prototypical import Prototypical

        similarities = {
            "euclidean": similarity.negative_squared_distance,
            "dot": similarity.dot_product,
        }
        return Prototypical(self.body()[0], similarity=similarities[self.similarity])


@dataclass(frozen=True)
class PrototypicalGlyphs(WithPrototypes, OnGlyphs):
    """Prototypical networks on warped printed characters; downloads nothing."""

    name: ClassVar[str] = "prototypical-glyphs"
    reaches: ClassVar[str] = "96 % on 5-way 1-shot, unseen characters, inductive"
    takes: ClassVar[str] = "80 s on 2 cores"

    steps: int = 2400
    meta_batch: int = 2
    validate_every: int = 400
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class PrototypicalOmniglot(WithPrototypes, OnOmniglot):
    """Prototypical networks on Omniglot."""

    name: ClassVar[str] = "prototypical-omniglot"
    reaches: ClassVar[str] = "98.8 % (5-way 1-shot), 99.7 % (5-way 5-shot), 96.0 % (20-way 1-shot)"
    takes: ClassVar[str] = "about 30 min on 2 cores"

    steps: int = 3000
    meta_batch: int = 1
    train_ways: int = 60
    downsample: Literal["stride", "pool"] = "pool"
