"""What recipes learn on: glyphs, Omniglot, sinusoids; each with the networks that fit it.

A recipe is made of two halves, `class MatchingGlyphs(WithMatching, OnGlyphs)`: what learns, and on
what. JAX is imported inside the methods.
"""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import BadInput
from quickstudy.recipes.recipe import FewShot, Norm, Shape, Source, Split

if TYPE_CHECKING:
    from quickstudy.learners.losses import Loss
    from quickstudy.tasks.episodes import Episodes
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class OnData(FewShot):
    """A recipe on data of a known kind."""

    @abc.abstractmethod
    def model(self) -> Any:
        """An untrained network with one output per class or target: a body and a linear head."""

    @abc.abstractmethod
    def body(self) -> tuple[Any, int]:
        """An untrained network that makes features, and how many."""

    @property
    @abc.abstractmethod
    def outputs(self) -> int:
        """Ways, or the size of a target."""

    @property
    @abc.abstractmethod
    def loss(self) -> "Loss":
        """L."""


@dataclass(frozen=True)
class OnImages(OnData):
    """Few-shot classification of images with Conv4."""

    train_classes: ClassVar[int]
    """Classes of the meta-training split, rotations counted."""

    ways: int = 5
    """N, classes per task."""
    shots: int = 1
    """K, support examples per class."""
    queries: int = 5
    """Query examples per class."""
    filters: int = 32
    """Filters of each of the four convolutions."""
    norm: Norm = "layer"
    """Whose statistics normalise; `batch` is transductive, and `running` is for MAML++."""
    downsample: Literal["stride", "pool"] = "stride"
    """How each block halves the image."""
    fewest_ways: int = 0
    """Training tasks have from this many classes up to their ways; with 0, all have as many."""
    fewest_shots: int = 0
    """Classes of training tasks have from this many support examples up to `shots`, each class by
    itself; with 0, all have as many."""

    @property
    def training_ways(self) -> int:
        """Classes per meta-training task."""
        return self.ways

    @property
    def outputs(self) -> int:
        """N."""
        return self.ways

    @property
    def loss(self) -> "Loss":
        """Cross-entropy."""
        from quickstudy.learners.losses import cross_entropy

        return cross_entropy

    def body(self, readout: Literal["flatten", "mean"] = "flatten") -> tuple[Any, int]:
        """Conv4."""
        import jax

        from quickstudy.nets.conv4 import Conv4

        body = Conv4(
            self.image or (28, 28, 1),
            filters=self.filters,
            norm=self.norm,
            downsample=self.downsample,
            readout=readout,
            key=jax.random.key(self.seed),
        )
        return body, body.features

    def model(self) -> Any:
        """Conv4 and a linear head that starts at zero.

        As in MAML's published code, strided features are averaged over positions and pooled
        ones are a single position.
        """
        from quickstudy.nets.network import Headed, Linear

        body, features = self.body("mean" if self.downsample == "stride" else "flatten")
        return Headed(body, Linear.zeros(features, self.ways))

    def tasks(
        self, split: Split, shape: Shape | None = None, source: Source | None = None
    ) -> "TaskDistribution":
        """The data's episodes, or what the learner trains on instead."""
        given = shape or Shape()
        training = split == "train"
        wanted = Shape(
            given.ways or (self.training_ways if training else self.ways),
            given.shots or self.shots,
            given.queries or self.queries,
        )
        episodes = self.episodes(split, wanted, source or Source())
        return self.for_training(episodes) if training else episodes

    @abc.abstractmethod
    def episodes(self, split: Split, shape: Shape, source: Source) -> "Episodes":
        """Episodes of that shape."""

    def for_training(self, episodes: "Episodes") -> "TaskDistribution":
        """What meta-training samples from: the episodes, or such of different sizes."""
        if not (self.fewest_ways or self.fewest_shots):
            return episodes
        from quickstudy.tasks.varying import Varying

        ways, shots = self.fewest_ways or episodes.ways, self.fewest_shots or episodes.shots
        return Varying(episodes, ways=ways, shots=shots)


@dataclass(frozen=True)
class OnGlyphs(OnImages):
    """Warped printed characters; downloads nothing."""

    image: ClassVar[tuple[int, int, int]] = (28, 28, 1)
    train_classes: ClassVar[int] = 1057

    def episodes(self, split: Split, shape: Shape, source: Source) -> "Episodes":
        """Glyphs, every image warped at random."""
        from quickstudy.tasks.glyphs import glyphs

        return glyphs(
            split,
            ways=self.ways if shape.ways is None else shape.ways,
            shots=shape.shots or self.shots,
            queries=shape.queries or self.queries,
            progress=source.progress,
        )


@dataclass(frozen=True)
class OnOmniglot(OnImages):
    """Handwritten characters of fifty alphabets."""

    image: ClassVar[tuple[int, int, int]] = (28, 28, 1)
    train_classes: ClassVar[int] = 4112

    filters: int = 64
    queries: int = 0
    """Query examples per class; with 0, as many as the protocol says."""
    protocol: Literal["snell2017", "finn2017", "lake2015"] = "snell2017"
    """Classes of the splits, rotations, queries and number of test tasks."""

    @property
    def test_episodes(self) -> int:
        """600 under `finn2017`, 1,000 otherwise."""
        return 600 if self.protocol == "finn2017" else 1000

    def episodes(self, split: Split, shape: Shape, source: Source) -> "Episodes":
        """Omniglot under that protocol."""
        from quickstudy.tasks.omniglot import omniglot

        return omniglot(
            self.protocol,
            split,
            ways=shape.ways,
            shots=shape.shots or self.shots,
            queries=shape.queries or None,
            data=source.folder,
            progress=source.progress,
        )


@dataclass(frozen=True)
class OnSinusoids(OnData):
    """Regression of sinusoids from a few points."""

    shots: int = 10
    """K, support points in training and validation."""
    queries: int = 10
    """Query points in training and validation."""
    test_shots: int = 5
    """Support points in test."""
    test_queries: int = 100
    """Query points in test."""
    width: int = 40
    """Units of each of the two hidden layers."""

    @property
    def outputs(self) -> int:
        """One number."""
        return 1

    @property
    def loss(self) -> "Loss":
        """Squared error."""
        from quickstudy.learners.losses import squared_error

        return squared_error

    def body(self) -> tuple[Any, int]:
        """Two hidden layers of rectifiers."""
        import jax

        from quickstudy.nets.mlp import MLP

        body = MLP(1, (self.width, self.width), last=jax.nn.relu, key=jax.random.key(self.seed))
        return body, self.width

    def model(self) -> Any:
        """The body and a linear head."""
        import jax

        from quickstudy.nets.network import Headed, Linear

        body, features = self.body()
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        return Headed(body, Linear.create(features, 1, key=key))

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
