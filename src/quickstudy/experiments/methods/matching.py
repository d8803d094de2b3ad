"""Matching networks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.experiments.methods.prototypical import (
    MetricConfig,
    SimilarityName,
    similarity_named,
)
from quickstudy.experiments.problem import ExampleProblem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class ContextConfig(Choice):
    """Base: whether embeddings see the support set."""


@dataclass(frozen=True)
class NoContextConfig(ContextConfig):
    """They do not."""

    name: ClassVar[str] = "none"


@dataclass(frozen=True)
class FullContextConfig(ContextConfig):
    """Full context embeddings."""

    name: ClassVar[str] = "full"

    reads: int = 5
    """K, how often a query reads the support set."""


@dataclass(frozen=True)
class MatchingConfig(MetricConfig):
    """Attention over the examples of the support set."""

    name: ClassVar[str] = "matching"
    source: ClassVar[str] = "Vinyals et al., 2016, https://arxiv.org/abs/1606.04080"

    similarity: SimilarityName = "cosine"
    """Similarity that attention uses: cosine in the paper, dot product in the notes."""
    # Cosines are 2 apart at most: with 1, no example has more than e² times the weight of another.
    sharpness: float = 10.0
    """Factor of the similarities before the softmax; 1 in the paper."""
    context: ContextConfig = NoContextConfig()
    """Whether embeddings depend on the support set (full context embeddings)."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """One network for both f′ and g′."""
        from quickstudy.learners.matching import FullContext, Matching, NoContext

        body, size, key = self.features(problem, seed)
        context: Any = NoContext()
        if isinstance(self.context, FullContextConfig):
            context = FullContext.create(size, reads=self.context.reads, key=key)
        how = {"similarity": similarity_named(self.similarity), "sharpness": self.sharpness}
        return Matching(body, context=context, **how)
