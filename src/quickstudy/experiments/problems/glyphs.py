"""Warped printed characters, which come with the package."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.experiments.networks import Inputs
from quickstudy.experiments.problem import Source, Split
from quickstudy.experiments.problems.images import ImageProblem

if TYPE_CHECKING:
    from quickstudy.tasks.episodes import Episodes


@dataclass(frozen=True)
class GlyphImages(ImageProblem):
    """Printed characters that come with the package, each image warped at random; 28×28, grey."""

    name: ClassVar[str] = "glyphs"
    has: ClassVar[str] = "nothing yet"

    @property
    def inputs(self) -> Inputs:
        """28×28, one channel."""
        return (28, 28, 1)

    @property
    def training_classes(self) -> int | None:
        """As many as the training split has: known without drawing them."""
        return 1057

    def episodes(self, split: Split, source: Source, ways: int) -> "Episodes":
        """Glyphs."""
        from quickstudy.tasks.glyphs import glyphs

        shape: dict[str, Any] = {"ways": ways, "shots": self.shots, "queries": self.queries}
        return glyphs(split, **shape, progress=source.progress)
