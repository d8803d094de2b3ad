"""Few-shot classification of images: what all problems of images share."""

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from quickstudy.experiments.networks import Conv4Config, NetworkConfig
from quickstudy.experiments.problem import ExampleProblem, Problem, Source, Split

if TYPE_CHECKING:
    from quickstudy.tasks.episodes import Episodes
    from quickstudy.tasks.pictures import Ink
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class ImageProblem(ExampleProblem):
    """Base: images sorted by class, in N-way K-shot tasks."""

    at_test: ClassVar[dict[str, str]] = {"ways": "ways", "shots": "shots", "queries": "queries"}
    apart: ClassVar[frozenset[str]] = frozenset({"fewest_ways", "fewest_shots"})

    ways: int = 5
    """N, classes per task."""
    shots: int = 1
    """K, support examples per class."""
    queries: int = 5
    """Query examples per class."""
    fewest_ways: int = 0
    """Fewest classes of a training task, which has from this many up to `ways`; with 0, always
    `ways`."""
    fewest_shots: int = 0
    """Fewest support examples of a class in a training task, drawn for each class from this many up
    to `shots`; with 0, always `shots`."""

    @property
    def outputs(self) -> int:
        """N."""
        return self.ways

    @property
    def classification(self) -> bool:
        """Yes."""
        return True

    @property
    def network(self) -> NetworkConfig:
        """Conv4."""
        return Conv4Config()

    @property
    def own_ink(self) -> "Ink":
        """How files of grey drawings are read for who learned this. What quickstudy draws or
        downloads is light ink on a dark ground, and so drawings become that, too."""
        return "auto"

    def enlarged(self, size: int) -> Self:
        """With images of that height and width for a pretrained network, where there are finer
        ones than the problem usually has. Other images are scaled up by the encoder."""
        return self

    @abc.abstractmethod
    def episodes(self, split: Split, source: Source, ways: int) -> "Episodes":
        """Episodes of the split, of so many ways, and of this problem's shots and queries."""

    def tasks(self, split: Split, source: Source) -> "TaskDistribution":
        """Episodes."""
        return self.episodes(split, source, self.ways)

    def training_tasks(
        self, split: Split, source: Source, ways: int | None = None
    ) -> "TaskDistribution":
        """Episodes; those that are learned from may differ in ways and shots."""
        if split != "train":
            return self.tasks(split, source)
        episodes = self.episodes(split, source, ways or self.ways)
        if not (self.fewest_ways or self.fewest_shots):
            return episodes
        from quickstudy.tasks.varying import Varying

        fewest_ways = self.fewest_ways or episodes.ways
        return Varying(episodes, ways=fewest_ways, shots=self.fewest_shots or episodes.shots)

    def classes(self, source: Source) -> int:
        """As many as the training split has, rotations counted."""
        return self.training_classes or self.episodes("train", source, self.ways).classes

    def tested_as(self, other: Problem) -> Self:
        """In the other's shape; its own number of queries, where the other leaves that open."""
        found = super().tested_as(other)
        return found if found.queries else replace(found, queries=self.queries)

    def shape(self) -> str:
        """For example "5-way 1-shot"."""
        return f"{self.ways}-way {self.shots}-shot"

    def trained_shape(self, ways: int | None) -> str:
        """Ranges of ways and shots, if tasks differ in them."""
        most = self.ways if ways is None else ways
        least, fewest = self.fewest_ways or most, self.fewest_shots or self.shots
        shown = f"{most}-way" if least == most else f"{least}- to {most}-way"
        if fewest != self.shots:
            return (
                f"{shown} {fewest}- to {self.shots}-shot, validation {self.ways}-way "
                f"{self.shots}-shot"
            )
        return "" if least == most == self.ways else f"{shown}, validation {self.ways}-way"
