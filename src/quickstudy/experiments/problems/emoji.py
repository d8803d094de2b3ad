"""Emoji: small pictures, each drawn by four artists."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.networks import Conv4Config, Inputs, NetworkConfig
from quickstudy.experiments.problem import Problem, Source, Split
from quickstudy.experiments.problems.natural import NaturalImages
from quickstudy.experiments.problems.yours import KEPT

if TYPE_CHECKING:
    from quickstudy.tasks.episodes import Episodes

DRAWINGS = 4
LARGEST = 224


@dataclass(frozen=True)
class EmojiImages(NaturalImages):
    """Emoji by four artists each, in colour; needs the extra `emoji` and four npm packages."""

    name: ClassVar[str] = "emoji"
    has: ClassVar[str] = "pictures"
    apart: ClassVar[frozenset[str]] = NaturalImages.apart | {"size", "usual_size", "train_classes"}
    reads_folder: ClassVar[bool] = True
    usual: ClassVar[dict[str, int]] = {"steps": 2000, "meta_batch": 4, "validate_every": 500}

    queries: int = 0
    """Query examples per class; with 0, all of the four that the shots leave."""
    size: int = 0
    """Height and width in pixels that emoji are scaled to, at most 224; with 0, 32, or the input
    size of a pretrained network."""
    usual_size: int = field(default=32, metadata=KEPT)
    """Height and width where nobody asks for a size."""
    train_classes: int = field(default=0, metadata=KEPT)
    """How many classes the packages had in training."""

    @property
    def inputs(self) -> Inputs:
        """Three channels."""
        return (self.pixels, self.pixels, 3)

    @property
    def pixels(self) -> int:
        """Height and width."""
        return self.size or self.usual_size

    @property
    def network(self) -> NetworkConfig:
        """Conv4, of as many filters as in the papers on photographs."""
        return Conv4Config(filters=64)

    @property
    def training_classes(self) -> int | None:
        """As many as there were when the run began."""
        return self.train_classes or None

    def prepared(self, source: Source) -> Self:
        """With the number of training classes, which a later version of the packages may change.

        Raises:
            BadInput: impossible numbers of examples, or a size above 224.
            DataError: the packages are missing or damaged.
        """
        self.demand_examples()
        if self.size > LARGEST:
            raise BadInput(f"--size is {self.size}; emoji are drawn at 224×224: give 1 to 224")
        from quickstudy.tasks.emoji import count_emoji

        found = self.train_classes or count_emoji("train", source.folder)
        return replace(self, train_classes=found)

    def demand_examples(self) -> None:
        """Refuse more examples of a class than there are drawings.

        Raises:
            BadInput: shots + queries > 4.
        """
        if self.shots + max(self.queries, 1) > DRAWINGS:
            raise BadInput(
                f"{self.shots} shots + --queries {self.queries or 1} need more than the four "
                "drawings of an emoji; give --shots 1 to 3, and at most 4 − shots --queries"
            )

    def tested_as(self, other: Problem) -> Self:
        """As large as the learner's own images, with as many queries as there are at most."""
        found = super().tested_as(other)
        queries = found.queries if found.shots + found.queries <= DRAWINGS else 0
        inputs: Any = getattr(other, "inputs", ())
        fits = len(inputs) == 3 and inputs[0] == inputs[1] <= LARGEST
        return replace(found, queries=queries, usual_size=inputs[0] if fits else self.usual_size)

    def enlarged(self, size: int) -> Self:
        """As large as they are drawn, if need be."""
        return replace(self, usual_size=min(size, LARGEST))

    def episodes(self, split: Split, source: Source, ways: int) -> "Episodes":
        """Emoji of the split.

        Raises:
            BadInput: see `demand_examples`; or the packages have another number of training
                classes than those that the run began with.
        """
        from quickstudy.tasks.emoji import emoji

        self.demand_examples()
        found = emoji(
            split,
            size=self.pixels,
            data=source.folder,
            progress=source.progress,
            ways=ways,
            shots=self.shots,
            queries=self.queries or DRAWINGS - self.shots,
        )
        if split == "train" and self.train_classes not in (0, found.classes):
            raise BadInput(
                f"the packages have {found.classes} emoji for training, and the run began with "
                f"{self.train_classes}; give packages of the same versions"
            )
        return found
