"""Ridge regression as the inner loop: R2-D2."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem, Problem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class RidgeConfig(LearnerMethod):
    """Ridge regression in closed form on learned features (R2-D2)."""

    name: ClassVar[str] = "ridge"
    source: ClassVar[str] = "Bertinetto et al., 2019, https://arxiv.org/abs/1805.08136"

    train_ways: int = 0
    """Classes per training task; with 0, as many as at test."""
    # The authors' code (bertinetto/r2d2) starts at 10 on Omniglot.
    output_scale: float = 0.0
    """Initial value of the learned output scale; with 0, 10 for classes and 1 for numbers."""

    def prepared(self, problem: Problem) -> Self:
        """With the scale that suits the problem's outputs."""
        ready = super().prepared(problem)
        if self.output_scale or not isinstance(problem, ExampleProblem):
            return ready
        return replace(ready, output_scale=10.0 if problem.classification else 1.0)

    def check(self, problem: Problem) -> None:
        """Only classes have ways."""
        super().check(problem)
        if self.train_ways and isinstance(problem, ExampleProblem) and not problem.classification:
            raise BadInput(
                f"train_ways is {self.train_ways}, and {problem.name} is regression, which has no "
                "classes; leave --train-ways out"
            )

    @property
    def training_ways(self) -> int | None:
        """As many as at test, unless more are asked for."""
        return self.train_ways or None

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """A body, and a head in closed form."""
        import jax.numpy as jnp

        from quickstudy.learners.ridge import RidgeRegression

        scale = jnp.asarray(self.prepared(problem).output_scale)
        return RidgeRegression(self.features(problem, seed)[0], scale=scale, loss=problem.loss)
