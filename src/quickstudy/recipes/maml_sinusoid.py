"""MAML on sinusoids, the regression experiment of the paper."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.errors import BadInput
from quickstudy.recipes.recipe import Recipe, Shape, Source, Split

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class MAMLSinusoid(Recipe):
    """MAML on sinusoid regression."""

    name: ClassVar[str] = "maml-sinusoid"
    reaches: ClassVar[str] = "squared error 0.67 / 0.38 / 0.35 after 1 / 5 / 10 steps on 5 points"
    takes: ClassVar[str] = "2 min on 2 cores"
    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"

    steps: int = 70_000
    meta_batch: int = 25
    validate_every: int = 5000
    shots: int = 10
    """K, support points in training and validation."""
    queries: int = 10
    """Query points in training and validation."""
    test_shots: int = 5
    """Support points in test."""
    test_queries: int = 100
    """Query points in test."""
    inner_lr: float = 0.01
    """α, the inner step size."""
    inner_steps: int = 1
    """k, inner steps in training."""

    def learner(self) -> "Learner":
        """Two hidden layers of 40 rectifiers."""
        import jax

        from quickstudy.learners.losses import squared_error
        from quickstudy.learners.maml import MAML
        from quickstudy.nets.mlp import MLP

        model = MLP(1, (40, 40, 1), key=jax.random.key(self.seed))
        return MAML(model, inner_lr=self.inner_lr, steps=self.inner_steps, loss=squared_error)

    def tasks(
        self, split: Split, shape: Shape | None = None, source: Source | None = None
    ) -> "TaskDistribution":
        """Sinusoids; every split draws from the same continuum, with keys of its own."""
        from quickstudy.tasks.sinusoid import Sinusoid

        shape = shape or Shape()
        if shape.ways is not None:
            raise BadInput("sinusoids are regression and have no ways; leave --ways out")
        shots, queries = (
            (self.test_shots, self.test_queries) if split == "test" else (self.shots, self.queries)
        )
        return Sinusoid(shots=shape.shots or shots, queries=shape.queries or queries)
