"""A problem of images as a learner meets it whose network is pretrained and frozen."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.networks import Inputs, NetworkConfig
from quickstudy.experiments.problem import ExampleProblem, Source, Split
from quickstudy.experiments.problems.images import ImageProblem
from quickstudy.experiments.problems.natural import demand_unchanged

if TYPE_CHECKING:
    from quickstudy.features.encoder import Encoder
    from quickstudy.learners.losses import Loss
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class EncodedImages(ExampleProblem):
    """Features of the images of another problem, in the same tasks.

    No user names it: a run keeps the problem of images, and its network says what reads them.
    """

    of: ImageProblem
    """The problem of images."""
    encoder: str
    """Of `quickstudy.pretrained`."""
    features: int
    """d, how many numbers describe an image."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "at_test", self.of.at_test)

    @property
    def inputs(self) -> Inputs:
        """d features."""
        return (self.features,)

    @property
    def outputs(self) -> int:
        """N."""
        return self.of.outputs

    @property
    def classification(self) -> bool:
        """Yes."""
        return self.of.classification

    @property
    def network(self) -> NetworkConfig:
        """That of the images, which a method never asks for here."""
        return self.of.network

    @property
    def loss(self) -> "Loss":
        """That of the images."""
        return self.of.loss

    @property
    def test_episodes(self) -> int:
        """As many as for the images."""
        return self.of.test_episodes

    @property
    def training_classes(self) -> int | None:
        """As many as for the images."""
        return self.of.training_classes

    def tasks(self, split: Split, source: Source) -> "TaskDistribution":
        """Those of the images, encoded."""
        return self._encoded(self.of.tasks(split, source), source)

    def demand_tests(self, source: Source) -> None:
        """The images'."""
        self.of.demand_tests(source)

    def training_tasks(
        self, split: Split, source: Source, ways: int | None = None
    ) -> "TaskDistribution":
        """Those of the images, encoded."""
        return self._encoded(self.of.training_tasks(split, source, ways), source)

    def _encoded(self, tasks: Any, source: Source) -> "TaskDistribution":
        from quickstudy.features.tasks import encoded_tasks

        return encoded_tasks(tasks, self.pretrained(), progress=source.progress)

    def pretrained(self) -> "Encoder":
        """The encoder.

        Raises:
            BadInput: its weights are not installed.
        """
        from quickstudy.features.pretrained import pretrained

        return pretrained(self.encoder)

    def classes(self, source: Source) -> int:
        """As many as for the images."""
        return self.of.classes(source)

    def changed(self, flags: dict[str, Any]) -> Self:
        """The images' problem with other settings for a test."""
        return replace(self, of=self.of.changed(flags))

    def shape(self) -> str:
        """That of the images' tasks."""
        return self.of.shape()

    def trained_shape(self, ways: int | None) -> str:
        """That of the images' tasks."""
        return self.of.trained_shape(ways)

    def test_tasks(self, split: Split) -> dict[str, Any]:
        """Those of the images: a method that reads the images themselves meets the same ones."""
        return self.of.test_tasks(split)

    def data(self, split: Split = "test") -> str:
        """The images."""
        return self.of.data(split)


def as_encoded(problem: ExampleProblem, network: NetworkConfig) -> ExampleProblem:
    """The problem as a learner with that network meets it.

    Raises:
        BadInput: the network is pretrained on images, and the problem is of something else, or of
            images that change.
    """
    if not network.encoder:
        return problem
    if not isinstance(problem, ImageProblem):
        raise BadInput(
            f"--network {network.name} is pretrained on images, and {problem.name} has none; "
            "give --network mlp, or a problem of images"
        )
    demand_unchanged(problem, network.name)
    of = problem.enlarged(network.reads_at)
    return EncodedImages(of, network.encoder, network.features)
