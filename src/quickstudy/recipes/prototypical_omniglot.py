"""Prototypical networks on Omniglot, as the paper's table 1 has it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.recipe import Norm, Recipe, Shape, Source, Split

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class PrototypicalOmniglot(Recipe):
    """Prototypical networks on Omniglot under the protocol `snell2017`."""

    name: ClassVar[str] = "prototypical-omniglot"
    reaches: ClassVar[str] = "98.8 % (5-way 1-shot), 99.7 % (5-way 5-shot), 96.0 % (20-way 1-shot)"
    takes: ClassVar[str] = "about 1 h on 2 cores"
    source: ClassVar[str] = "Snell et al., 2017, https://arxiv.org/abs/1703.05175"
    image: ClassVar[tuple[int, int, int]] = (28, 28, 1)

    steps: int = 10_000
    meta_batch: int = 2
    validate_every: int = 500
    ways: int = 5
    """N, classes per validation and test task."""
    shots: int = 1
    """K, support examples per class."""
    queries: int = 5
    """Query examples per class."""
    train_ways: int = 60
    """Classes per training task."""
    filters: int = 64
    """Filters of each of the four convolutions."""
    norm: Norm = "layer"
    """Whose statistics normalise; `batch` is transductive."""
    downsample: Literal["pool", "stride"] = "pool"
    """How each block halves the image."""
    similarity: Literal["euclidean", "dot"] = "euclidean"
    """−‖f − c‖², as in the paper, or cᵀf, as in the course notes."""

    def learner(self) -> "Learner":
        """Conv4 as the embedding."""
        import jax

        from quickstudy.learners import similarity
        from quickstudy.learners.prototypical import Prototypical
        from quickstudy.nets.conv4 import Conv4

        embed = Conv4(
            self.image,
            filters=self.filters,
            norm=self.norm,
            downsample=self.downsample,
            key=jax.random.key(self.seed),
        )
        similarities = {
            "euclidean": similarity.negative_squared_distance,
            "dot": similarity.dot_product,
        }
        return Prototypical(embed, similarity=similarities[self.similarity])

    def tasks(
        self, split: Split, shape: Shape | None = None, source: Source | None = None
    ) -> "TaskDistribution":
        """Omniglot, protocol `snell2017`."""
        from quickstudy.tasks.omniglot import omniglot

        shape, source = shape or Shape(), source or Source()
        own_ways = self.train_ways if split == "train" else self.ways
        return omniglot(
            "snell2017",
            split,
            ways=shape.ways or own_ways,
            shots=shape.shots or self.shots,
            queries=shape.queries or self.queries,
            data=source.folder,
            progress=source.progress,
        )
