"""MAML on printed characters that come with the package."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.recipe import Norm, Recipe, Shape, Source, Split

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class MAMLGlyphs(Recipe):
    """MAML on warped printed characters; downloads nothing."""

    name: ClassVar[str] = "maml-glyphs"
    reaches: ClassVar[str] = "90 % on 5-way 1-shot, unseen characters, inductive"
    takes: ClassVar[str] = "4 min on 2 cores"
    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"
    image: ClassVar[tuple[int, int, int]] = (28, 28, 1)

    steps: int = 3000
    meta_batch: int = 16
    ways: int = 5
    """N, classes per task."""
    shots: int = 1
    """K, support examples per class."""
    queries: int = 5
    """Query examples per class."""
    inner_lr: float = 0.4
    """α, the inner step size."""
    inner_steps: int = 1
    """k, inner steps."""
    filters: int = 32
    """Filters of each of the four convolutions."""
    norm: Norm = "layer"
    """Whose statistics normalise; `batch` is transductive."""

    def learner(self) -> "Learner":
        """Conv4 with stride 2 and a linear head."""
        from quickstudy.learners.maml import MAML
        from quickstudy.recipes.models import conv4_classifier

        model = conv4_classifier(self.seed, self.ways, self.filters, self.norm, "stride")
        return MAML(model, inner_lr=self.inner_lr, steps=self.inner_steps)

    def tasks(
        self, split: Split, shape: Shape | None = None, source: Source | None = None
    ) -> "TaskDistribution":
        """Glyphs, every image warped at random."""
        from quickstudy.tasks.glyphs import glyphs

        shape, source = shape or Shape(), source or Source()
        return glyphs(
            split,
            ways=shape.ways or self.ways,
            shots=shape.shots or self.shots,
            queries=shape.queries or self.queries,
            progress=source.progress,
        )
