"""MAML on Omniglot, as the paper's table 1 has it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.recipe import Norm, Recipe, Shape, Source, Split

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class MAMLOmniglot(Recipe):
    """MAML on Omniglot under the protocol `finn2017`."""

    name: ClassVar[str] = "maml-omniglot"
    reaches: ClassVar[str] = "98.7 % (5-way 1-shot), 99.9 % (5-way 5-shot), both with --norm batch"
    takes: ClassVar[str] = "about 2 h on 2 cores (5-way 1-shot)"
    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"
    image: ClassVar[tuple[int, int, int]] = (28, 28, 1)

    steps: int = 30_000
    meta_batch: int = 32
    validate_every: int = 1000
    ways: int = 5
    """N, classes per task."""
    shots: int = 1
    """K, support examples per class; as many queries per class, by the protocol."""
    inner_lr: float = 0.4
    """α, the inner step size."""
    inner_steps: int = 1
    """k, inner steps in training."""
    test_inner_steps: int = 3
    """Inner steps in validation and test."""
    filters: int = 64
    """Filters of each of the four convolutions."""
    norm: Norm = "layer"
    """Whose statistics normalise; the paper's own `batch` is transductive."""
    downsample: Literal["stride", "pool"] = "stride"
    """How each block halves the image; the paper's Omniglot network has strides."""

    test_episodes: ClassVar[int] = 600

    def learner(self) -> "Learner":
        """Conv4 and a linear head."""
        from quickstudy.learners.maml import MAML
        from quickstudy.recipes.models import conv4_classifier

        model = conv4_classifier(self.seed, self.ways, self.filters, self.norm, self.downsample)
        return MAML(model, inner_lr=self.inner_lr, steps=self.inner_steps)

    def for_test(self, learner: "Learner") -> "Learner":
        """With the number of inner steps for test."""
        return replace(learner, steps=self.test_inner_steps)

    def tasks(
        self, split: Split, shape: Shape | None = None, source: Source | None = None
    ) -> "TaskDistribution":
        """Omniglot, protocol `finn2017`."""
        from quickstudy.tasks.omniglot import omniglot

        shape, source = shape or Shape(), source or Source()
        return omniglot(
            "finn2017",
            split,
            ways=shape.ways or self.ways,
            shots=shape.shots or self.shots,
            queries=shape.queries,
            data=source.folder,
            progress=source.progress,
        )
