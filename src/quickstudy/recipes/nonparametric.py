"""Matching networks, relation networks, ridge regression."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.data import OnData, OnGlyphs, OnOmniglot, OnSinusoids
from quickstudy.recipes.prototypical import WithPrototypes

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithMatching(WithPrototypes):
    """Matching networks; they take any number of ways, as prototypical networks do."""

    source: ClassVar[str] = "Vinyals et al., 2016, https://arxiv.org/abs/1606.04080"

    similarity: Literal["euclidean", "dot", "cosine"] = "cosine"  # type: ignore[assignment]
    """What attention looks at; cosine in the paper, dot product in the notes."""
    sharpness: float = 10.0
    """What similarities are multiplied by before the softmax; 1 in the paper."""
    context: Literal["none", "full"] = "none"
    """Whether embeddings see the support set: full context embeddings."""
    reads: int = 5
    """K, how often a query reads the support set, with full context."""

    def learner(self) -> "Learner":
        """Conv4 for both f′ and g′."""
        import jax

        from quickstudy.learners import similarity
        from quickstudy.learners.matching import FullContext, Matching, NoContext

        body, features = self.body()
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        similarities = {
            "euclidean": similarity.negative_squared_distance,
            "dot": similarity.dot_product,
            "cosine": similarity.cosine,
        }
        context = (
            NoContext()
            if self.context == "none"
            else FullContext.create(features, reads=self.reads, key=key)
        )
        return Matching(
            body,
            context=context,
            similarity=similarities[self.similarity],
            sharpness=self.sharpness,
        )


@dataclass(frozen=True)
class MatchingGlyphs(WithMatching, OnGlyphs):
    """Matching networks on warped printed characters."""

    name: ClassVar[str] = "matching-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "90 s on 2 cores"
    steps: int = 2400
    meta_batch: int = 2
    validate_every: int = 400
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class MatchingOmniglot(WithMatching, OnOmniglot):
    """Matching networks on Omniglot."""

    name: ClassVar[str] = "matching-omniglot"
    reaches: ClassVar[str] = "98.1 / 98.9 / 93.8 / 98.5 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 1 h on 2 cores"
    steps: int = 6000
    meta_batch: int = 2
    downsample: Literal["stride", "pool"] = "pool"


@dataclass(frozen=True)
class WithRelation(WithPrototypes):
    """Relation networks."""

    source: ClassVar[str] = "Sung et al., 2018, https://arxiv.org/abs/1711.06025"

    hidden: int = 64
    """Units of the relation network's hidden layer."""

    def learner(self) -> "Learner":
        """Conv4 and a relation network over its features."""
        import jax

        from quickstudy.learners.relation import Relation
        from quickstudy.nets.mlp import MLP

        body, features = self.body()
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        return Relation(body, MLP(2 * features, (self.hidden, 1), key=key))


@dataclass(frozen=True)
class RelationGlyphs(WithRelation, OnGlyphs):
    """Relation networks on warped printed characters."""

    name: ClassVar[str] = "relation-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "90 s on 2 cores"
    steps: int = 2400
    meta_batch: int = 2
    validate_every: int = 400


@dataclass(frozen=True)
class RelationOmniglot(WithRelation, OnOmniglot):
    """Relation networks on Omniglot; the relation is over feature vectors, not maps."""

    name: ClassVar[str] = "relation-omniglot"
    reaches: ClassVar[str] = "99.6 / 99.8 / 97.6 / 99.1 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 1 h on 2 cores"
    steps: int = 6000
    meta_batch: int = 2
    downsample: Literal["stride", "pool"] = "pool"


@dataclass(frozen=True)
class WithRidge(OnData):
    """Ridge regression as the inner loop."""

    source: ClassVar[str] = "Bertinetto et al., 2019, https://arxiv.org/abs/1805.08136"

    def learner(self) -> "Learner":
        """A body, and a head in closed form."""
        from quickstudy.learners.ridge import RidgeRegression

        return RidgeRegression(self.body()[0], loss=self.loss)


@dataclass(frozen=True)
class RidgeGlyphs(WithRidge, OnGlyphs):
    """R2-D2 on warped printed characters."""

    name: ClassVar[str] = "ridge-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "90 s on 2 cores"
    steps: int = 2400
    meta_batch: int = 6
    validate_every: int = 400


@dataclass(frozen=True)
class RidgeOmniglot(WithRidge, OnOmniglot):
    """R2-D2 on Omniglot."""

    name: ClassVar[str] = "ridge-omniglot"
    reaches: ClassVar[str] = "98.55 / 99.66 / 94.70 / 98.91 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 1 h on 2 cores"
    steps: int = 10_000
    meta_batch: int = 8
    downsample: Literal["stride", "pool"] = "pool"


@dataclass(frozen=True)
class RidgeSinusoid(WithRidge, OnSinusoids):
    """R2-D2 on sinusoids."""

    name: ClassVar[str] = "ridge-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "1 min on 2 cores"
    steps: int = 30_000
    meta_batch: int = 25
    validate_every: int = 3000
