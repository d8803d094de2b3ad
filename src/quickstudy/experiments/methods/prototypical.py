"""Prototypical networks, and what learners of any number of ways share."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem, Problem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner

MANY = 20
"""Classes of a training task, where no number is asked for."""
SimilarityName = Literal["euclidean", "dot", "cosine"]


@dataclass(frozen=True)
class MetricConfig(LearnerMethod):
    """Base: learners that compare embeddings, and take any number of classes."""

    train_ways: int = 0
    """Classes per training task; the paper recommends more than at test. With 0, 20, or all
    training classes if there are fewer."""

    def prepared(self, problem: Problem) -> Self:
        """With as many training ways as there are classes for."""
        ready = super().prepared(problem)
        known = problem.training_classes if isinstance(problem, ExampleProblem) else None
        return (
            replace(ready, train_ways=min(MANY, known)) if known and not self.train_ways else ready
        )

    @property
    def training_ways(self) -> int:
        """More than at test."""
        return self.train_ways or MANY

    def check(self, problem: Problem) -> None:
        """There must be classes to compare with."""
        super().check(problem)
        demand_classification(self, problem)


def demand_classification(method: LearnerMethod, problem: Problem) -> None:
    """Refuse problems of regression.

    Raises:
        BadInput: says which methods learn them.
    """
    if isinstance(problem, ExampleProblem) and not problem.classification:
        raise BadInput(
            f"{method.name} tells classes apart, and {problem.name} is regression; give a method "
            "that learns both, as maml, ridge or blackbox"
        )


def similarity_named(name: SimilarityName) -> Any:
    """The function of that name."""
    from quickstudy.learners import similarity

    return {
        "euclidean": similarity.negative_squared_distance,
        "dot": similarity.dot_product,
        "cosine": similarity.cosine,
    }[name]


@dataclass(frozen=True)
class PrototypicalConfig(MetricConfig):
    """The nearest mean of embedded examples."""

    name: ClassVar[str] = "prototypical"
    source: ClassVar[str] = "Snell et al., 2017, https://arxiv.org/abs/1703.05175"

    similarity: SimilarityName = "euclidean"
    """Similarity to a prototype: −‖f − c‖², as in the paper, cᵀf, as in the course notes, or their
    cosine."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """Prototypical networks."""
        from quickstudy.learners.prototypical import Prototypical

        body = self.features(problem, seed)[0]
        return Prototypical(body, similarity=similarity_named(self.similarity))
