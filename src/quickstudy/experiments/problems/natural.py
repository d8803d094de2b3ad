"""Photographs and other natural images, whose training tasks may be augmented."""

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import BadInput
from quickstudy.experiments.networks import Inputs
from quickstudy.experiments.problem import Source, Split
from quickstudy.experiments.problems.images import ImageProblem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.tasks.task import TaskDistribution
    from quickstudy.tasks.transforms import Transform


@dataclass(frozen=True)
class AugmentConfig(Choice):
    """Base: how images of training tasks are changed at random, each time one is drawn."""

    @abc.abstractmethod
    def transforms(self, inputs: Inputs) -> "tuple[Transform, ...]":
        """What is done to images of that shape, one after the other."""


@dataclass(frozen=True)
class NoAugmentConfig(AugmentConfig):
    """They stay as they are."""

    name: ClassVar[str] = "none"

    def transforms(self, inputs: Inputs) -> "tuple[Transform, ...]":
        """Nothing."""
        return ()


@dataclass(frozen=True)
class FlipConfig(AugmentConfig):
    """Half of them are flipped, left to right."""

    name: ClassVar[str] = "flip"

    def transforms(self, inputs: Inputs) -> "tuple[Transform, ...]":
        """The flip."""
        from quickstudy.tasks.augmentations import RandomFlip

        return (RandomFlip(),)


@dataclass(frozen=True)
class CropFlipConfig(FlipConfig):
    """They are padded and cropped at a random place, too."""

    name: ClassVar[str] = "crop-flip"

    padding: int = 0
    """Pixels of mirrored padding on each side, before a window of the image's own size is cut out;
    with 0, a tenth of the height, and at least 4: 4 of 32, 8 of 84."""

    def transforms(self, inputs: Inputs) -> "tuple[Transform, ...]":
        """A crop, and the flip."""
        from quickstudy.tasks.augmentations import RandomCrop

        padding = self.padding or max(4, inputs[0] // 10)
        return (RandomCrop(padding), *super().transforms(inputs))


@dataclass(frozen=True)
class CropFlipJitterConfig(CropFlipConfig):
    """Their brightness, contrast and saturation change, too."""

    name: ClassVar[str] = "crop-flip-jitter"

    jitter: float = 0.4
    """Strength of the change: brightness, contrast and saturation are each multiplied by a factor
    between 1 − jitter and 1 + jitter."""

    def transforms(self, inputs: Inputs) -> "tuple[Transform, ...]":
        """A crop, the flip, and other colours."""
        from quickstudy.tasks.augmentations import ColourJitter

        colours = ColourJitter(self.jitter, self.jitter, self.jitter)
        return (*super().transforms(inputs), colours)


@dataclass(frozen=True)
class NaturalImages(ImageProblem):
    """Base: images that remain what they are when they are cropped, flipped or darkened."""

    apart: ClassVar[frozenset[str]] = ImageProblem.apart | {"augment"}

    augment: AugmentConfig = NoAugmentConfig()
    """Random augmentation of training images, support and query, each on its own; validation and
    test images stay as they are."""

    def training_tasks(
        self, split: Split, source: Source, ways: int | None = None
    ) -> "TaskDistribution":
        """Episodes, whose images change where learners learn from them.

        Raises:
            BadInput: inputs are no images, or are too small or of too many channels.
        """
        tasks = super().training_tasks(split, source, ways)
        if split != "train" or not (parts := self.augment.transforms(self.inputs)):
            return tasks
        if len(self.inputs) != 3:
            raise BadInput(
                f"--augment {self.augment.name} changes images, and this problem's inputs are "
                f"features, {list(self.inputs)}; give --augment none"
            )
        import jax

        from quickstudy.tasks.augmentations import Transforms

        changed, one = Transforms(parts), jax.ShapeDtypeStruct((1, *self.inputs), "float32")
        # Of shapes alone: images that cannot be changed so are refused before a run begins.
        jax.eval_shape(lambda x: changed(x, jax.numpy.zeros(1, int), key=jax.random.key(0)), one)
        return _changed_by(changed, tasks)

    def trained_shape(self, ways: int | None) -> str:
        """How images change, too: those of validation do not."""
        shown, name = super().trained_shape(ways), self.augment.name
        said = "" if name == NoAugmentConfig.name else f"augmented by {name}"
        return ", ".join(one for one in (said, shown) if one)


def _changed_by(transform: "Transform", tasks: Any) -> Any:
    """Episodes, perhaps of different sizes, of images that change."""
    from quickstudy.tasks.varying import Varying

    if isinstance(tasks, Varying):
        return replace(tasks, episodes=_changed_by(transform, tasks.episodes))
    return replace(tasks, transform=transform)


def demand_unchanged(problem: ImageProblem, network: str) -> None:
    """Refuse images that change, where a frozen network reads each of them once.

    Raises:
        BadInput: says what would do.
    """
    none = NoAugmentConfig.name
    name = problem.augment.name if isinstance(problem, NaturalImages) else none
    if name != none:
        raise BadInput(
            f"--network {network} reads each image once, before training, and --augment {name} "
            "changes images each time they are drawn; give --augment none, or a network that is "
            "trained, as --network conv4 or resnet12"
        )
