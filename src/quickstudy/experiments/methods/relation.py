"""Relation networks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.experiments.methods.prototypical import MetricConfig
from quickstudy.experiments.problem import ExampleProblem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class RelationConfig(MetricConfig):
    """A learned comparison of embeddings; the relation is over feature vectors, not maps."""

    name: ClassVar[str] = "relation"
    source: ClassVar[str] = "Sung et al., 2018, https://arxiv.org/abs/1711.06025"

    hidden: int = 64
    """Units of the relation network's hidden layer."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """A body and a relation network over its features."""
        from quickstudy.learners.relation import Relation
        from quickstudy.nets.mlp import MLP

        body, size, key = self.features(problem, seed)
        return Relation(body, MLP(2 * size, (self.hidden, 1), key=key))
