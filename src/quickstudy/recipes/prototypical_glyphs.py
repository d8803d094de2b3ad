"""The default job: prototypical networks on printed characters that come with the package."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.recipe import Norm, Recipe, Shape, Source, Split

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class PrototypicalGlyphs(Recipe):
    """Prototypical networks on warped printed characters; downloads nothing."""

    name: ClassVar[str] = "prototypical-glyphs"
    reaches: ClassVar[str] = "96 % on 5-way 1-shot, unseen characters, inductive"
    takes: ClassVar[str] = "90 s on 2 cores"
    source: ClassVar[str] = "Snell et al., 2017, https://arxiv.org/abs/1703.05175"
    image: ClassVar[tuple[int, int, int]] = (28, 28, 1)

    steps: int = 2400
    meta_batch: int = 2
    validate_every: int = 400
    learning_rate: float = 3e-3
    ways: int = 5
    """N, classes per validation and test task."""
    shots: int = 1
    """K, support examples per class."""
    queries: int = 5
    """Query examples per class."""
    train_ways: int = 20
    """Classes per training task; more than at test is what the paper recommends."""
    filters: int = 32
    """Filters of each of the four convolutions."""
    norm: Norm = "layer"
    """Whose statistics normalise; `batch` is transductive."""

    def learner(self) -> "Learner":
        """Conv4 with stride 2, squared Euclidean distance."""
        import jax

        from quickstudy.learners.prototypical import Prototypical
        from quickstudy.nets.conv4 import Conv4

        embed = Conv4(
            self.image,
            filters=self.filters,
            norm=self.norm,
            downsample="stride",
            key=jax.random.key(self.seed),
        )
        return Prototypical(embed)

    def tasks(
        self, split: Split, shape: Shape | None = None, source: Source | None = None
    ) -> "TaskDistribution":
        """Glyphs, every image warped at random."""
        from quickstudy.tasks.glyphs import glyphs

        shape, source = shape or Shape(), source or Source()
        own_ways = self.train_ways if split == "train" else self.ways
        return glyphs(
            split,
            ways=shape.ways or own_ways,
            shots=shape.shots or self.shots,
            queries=shape.queries or self.queries,
            progress=source.progress,
        )
