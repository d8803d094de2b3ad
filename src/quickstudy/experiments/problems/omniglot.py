"""Handwritten characters of fifty alphabets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.experiments.networks import Conv4Config, Inputs, NetworkConfig
from quickstudy.experiments.problem import Source, Split
from quickstudy.experiments.problems.images import ImageProblem

if TYPE_CHECKING:
    from quickstudy.tasks.episodes import Episodes

TRAINING_CLASSES = {
    "snell2017": 4112,
    "finn2017": 4800,
    "lake2015": 964,
    "random-characters": 4112,
}
"""Rotations counted; the samplers' tests hold them."""


@dataclass(frozen=True)
class OmniglotImages(ImageProblem):
    """Omniglot under a named protocol; downloads 15 MB once. 28×28, grey."""

    name: ClassVar[str] = "omniglot"
    has: ClassVar[str] = "characters"
    at_test: ClassVar[dict[str, str]] = {**ImageProblem.at_test, "protocol": "protocol"}
    reads_folder: ClassVar[bool] = True
    usual: ClassVar[dict[str, int]] = {"steps": 15_000, "meta_batch": 32, "validate_every": 1000}

    protocol: Literal["snell2017", "finn2017", "lake2015", "random-characters"] = "snell2017"
    """The named protocol: classes of the splits, rotations, queries and number of test tasks."""
    queries: int = 0
    """Query examples per class; with 0, the protocol's number."""

    @property
    def inputs(self) -> Inputs:
        """28×28, one channel."""
        return (28, 28, 1)

    @property
    def network(self) -> NetworkConfig:
        """Conv4, of as many filters as in the papers."""
        return Conv4Config(filters=64)

    @property
    def test_episodes(self) -> int:
        """600 under `finn2017`, 1,000 otherwise."""
        return 600 if self.protocol == "finn2017" else 1000

    @property
    def training_classes(self) -> int | None:
        """The protocol's number: weights can be read where the data are not."""
        return TRAINING_CLASSES[self.protocol]

    def data(self, split: Split = "test") -> str:
        """The protocol decides how hard the tasks are."""
        return f"omniglot ({self.protocol}), {self.shape()}"

    def episodes(self, split: Split, source: Source, ways: int) -> "Episodes":
        """Omniglot under that protocol."""
        from quickstudy.tasks.omniglot import omniglot

        return omniglot(
            self.protocol,
            split,
            ways=ways,
            shots=self.shots,
            queries=self.queries or None,
            data=source.folder,
            progress=source.progress,
        )
