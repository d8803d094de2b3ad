"""Relation networks."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import BadInput
from quickstudy.experiments.keys import head_key, weights_key
from quickstudy.experiments.methods.prototypical import MetricConfig
from quickstudy.experiments.networks import Conv4Config, Inputs, NetworkConfig
from quickstudy.experiments.problem import ExampleProblem, Problem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class RelationHeadConfig(Choice):
    """Base: what compares a class with a query."""

    @abc.abstractmethod
    def build(self, body: NetworkConfig, inputs: Inputs, seed: int) -> tuple[Any, Any]:
        """An untrained embedding, and what compares."""

    def check(self, body: NetworkConfig) -> None:
        """Refuse a network that does not embed as this head reads.

        Raises:
            BadInput: says which network does.
        """


@dataclass(frozen=True)
class DenseRelationConfig(RelationHeadConfig):
    """A hidden layer on two feature vectors; for any network."""

    name: ClassVar[str] = "dense"

    hidden: int = 64
    """Units of the relation network's hidden layer."""

    def build(self, body: NetworkConfig, inputs: Inputs, seed: int) -> tuple[Any, Any]:
        """Vectors, and an MLP."""
        from quickstudy.nets.mlp import MLP

        embed, size = body.body(inputs, key=weights_key(seed))
        return embed, MLP(2 * size, (self.hidden, 1), key=head_key(seed))


@dataclass(frozen=True)
class ConvRelationConfig(RelationHeadConfig):
    """Convolutions on two feature maps, as in the paper; for Conv4, which then halves images twice
    only."""

    name: ClassVar[str] = "conv"

    relation_filters: int = 64
    """Filters of the head's two convolutions."""
    relation_units: int = 8
    """Units of the hidden layer after them."""

    def check(self, body: NetworkConfig) -> None:
        """Only Conv4 makes maps."""
        if not isinstance(body, Conv4Config):
            raise BadInput(
                f"--head conv compares feature maps, and --network {body.name} makes vectors; give "
                "--network conv4, or --head dense"
            )

    def build(self, body: NetworkConfig, inputs: Inputs, seed: int) -> tuple[Any, Any]:
        """Maps, and two blocks of convolutions."""
        from quickstudy.nets.relation_head import ConvRelation

        assert isinstance(body, Conv4Config)
        embed, (height, width, channels) = body.maps(inputs, key=weights_key(seed))
        head = ConvRelation(
            (height, width, 2 * channels),
            filters=self.relation_filters,
            hidden=self.relation_units,
            norm=body.norm,
            key=head_key(seed),
        )
        return embed, head


@dataclass(frozen=True)
class RelationConfig(MetricConfig):
    """A learned comparison of embeddings, trained by the squared error of scores from 0 to 1."""

    name: ClassVar[str] = "relation"
    source: ClassVar[str] = "Sung et al., 2018, https://arxiv.org/abs/1711.06025"

    head: RelationHeadConfig = DenseRelationConfig()
    """The relation head: a hidden layer on feature vectors, or convolutions on feature maps as in
    the paper."""
    pooling: Literal["mean", "sum"] = "mean"
    """How a class's support embeddings are pooled: by their mean, for any number of shots, or by
    their sum as in the paper, for as many shots as in training."""

    def check(self, problem: Problem) -> None:
        """The network must embed as the head reads."""
        super().check(problem)
        assert isinstance(problem, ExampleProblem)
        self.head.check(self.body_of(problem))

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """A body and a relation network over its features."""
        from quickstudy.learners.relation import Relation, class_means, class_sums

        pooling = {"mean": class_means, "sum": class_sums}[self.pooling]
        built = self.head.build(self.body_of(problem), problem.inputs, seed)
        return Relation(*built, pooling=pooling)
