"""Photographs in folders, and images or features in an .npz file: the user's own classes."""

import abc
import functools
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.networks import Conv4Config, Inputs, MLPConfig, NetworkConfig
from quickstudy.experiments.problem import Problem, Source, Split
from quickstudy.experiments.problems.class_folder import (
    channels_in,
    class_files_in,
    digest_in,
    images_in,
)
from quickstudy.experiments.problems.known_classes import NAMES, as_divided
from quickstudy.experiments.problems.natural import NaturalImages
from quickstudy.experiments.problems.shares import Ratios, demand_enough, demand_there, divided
from quickstudy.experiments.settings import KEPT

if TYPE_CHECKING:
    from quickstudy.tasks.episodes import Episodes
    from quickstudy.tasks.images import ImageClasses
    from quickstudy.tasks.pictures import Ink


@dataclass(frozen=True)
class YourImages(NaturalImages):
    """Base: classes that are divided into training, validation and test when a run begins."""

    usual: ClassVar[dict[str, int]] = {"steps": 1000, "meta_batch": 4, "validate_every": 200}

    ratios: Ratios | None = None
    """Shares of the classes in training, validation and test, or, above 1, their numbers; by
    default 0.64, 0.16 and 0.2, with at least --ways classes in each."""
    split_file: Path | None = None
    """A .csv with the columns class and split, in place of ratios."""
    split_seed: int = 0
    """Seed of the division by ratios: the same seed and names always give the same split."""
    path: str = field(default="", metadata=KEPT)
    """Where the images are."""
    shape_of_one: Inputs = field(default=(), metadata=KEPT)
    """The shape of one input."""
    train: tuple[str, ...] = field(default=(), metadata=KEPT)
    """The classes of training."""
    validation: tuple[str, ...] = field(default=(), metadata=KEPT)
    """The classes of validation."""
    test: tuple[str, ...] = field(default=(), metadata=KEPT)
    """The classes of tests."""
    left_out: tuple[str, ...] = field(default=(), metadata=KEPT)
    """The classes that are in none of these, as the ratios or the split file ask."""

    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """All classes that are there."""

    @abc.abstractmethod
    def read(self, names: tuple[str, ...], source: Source) -> "ImageClasses":
        """The images of these classes."""

    @abc.abstractmethod
    def digest(self, names: tuple[str, ...]) -> str:
        """A short name for what is in these classes: other images, other name."""

    def shaped(self) -> Self:
        """The problem with the shape of one input."""
        return self

    @property
    def inputs(self) -> Inputs:
        """The shape of one input."""
        return self.shape_of_one

    @property
    def own_ink(self) -> "Ink":
        """Arrays stay as they are."""
        return "light"

    @property
    def network(self) -> NetworkConfig:
        """Conv4 for images, an MLP for features."""
        return Conv4Config() if len(self.shaped().inputs) == 3 else MLPConfig(width=128, layers=1)

    def prepared(self, source: Source) -> Self:
        """With every class in one split, as a run keeps it.

        Raises:
            BadInput: there are too few classes for tasks of so many ways in every split.
        """
        if self.train or self.test:
            return self
        from quickstudy.tasks.splits import SPLITS, class_splits

        names = self.names()
        if self.ratios is None and self.split_file is None and len(names) < 3 * self.ways:
            raise BadInput(
                f"{self.path} has {len(names)} classes; {self.ways}-way training needs "
                f"{3 * self.ways}, {self.ways} in each of training, validation and test: give "
                "more, or fewer --ways. Without training, a pretrained network takes any number of "
                f"classes: quickstudy classify {self.path} NEW_IMAGES/"
            )
        given = divided(len(names), self.ways, self.ratios)
        if self.split_file is not None and (self.ratios is not None or self.split_seed):
            raise BadInput(
                "--split-file says where each class is; leave out --ratios and --split-seed"
            )
        how: Any = {"ratios": given, "split_file": self.split_file, "seed": self.split_seed}
        splits = class_splits(names, **how, ways=self.ways)
        if empty := [split for split in SPLITS if split not in splits]:
            raise BadInput(
                f"no class of {self.path} is in {empty[0]}; a run trains, validates and tests: "
                "give each split some, by --ratios or --split-file"
            )
        left_out = tuple(sorted(set(names).difference(*splits.values())))
        return replace(self, **splits, left_out=left_out).shaped()

    def tested_as(self, other: Problem) -> Self:
        """Every class is tested that the learner does not know.

        Raises:
            BadInput: it knows all of them.
        """
        ink: Ink = getattr(other, "own_ink", "auto")
        found = super().tested_as(other).sized_as(getattr(other, "inputs", ()), ink)
        if not isinstance(other, YourImages):
            return replace(found, test=self.names()).shaped()
        splits: Any = as_divided(self, other)
        if not splits["test"]:
            raise BadInput(
                f"{self.path} has no class that the run was not trained or validated on "
                f"({NAMES}); give other classes, or --split train or validation with the run's own "
                "data"
            )
        return replace(found, **splits).shaped()

    def tested_notes(self) -> list[str]:
        """Which classes are left out of tests."""
        known = (*self.train, *self.validation)
        if not known:
            return []
        return [
            f"{self.path}: {len(known)} of its classes, such as {known[0]!r}, are those that the "
            f"run was trained or validated on ({NAMES}); the test is on the {len(self.test)} others"
        ]

    def sized_as(self, inputs: Inputs, ink: "Ink") -> Self:
        """With images of that shape, and of such ink, where they can be made so."""
        return self

    def episodes(self, split: Split, source: Source, ways: int) -> "Episodes":
        """Episodes of the split's classes."""
        from quickstudy.tasks.episodes import Episodes

        names = getattr(self, split)
        demand_enough(names, ways, self.path, split)
        data = self.read(names, source)
        return Episodes.of(data, ways=ways, shots=self.shots, queries=self.queries)

    def contents(self) -> str:
        """Of the classes of training and validation."""
        return self.digest((*self.train, *self.validation))

    def missing(self) -> str:
        """The path, which may have been moved since a run began."""
        return "" if Path(self.path).exists() else self.path

    def demand_tests(self, source: Source) -> None:
        """All images of the test classes can be read, and there are enough of each."""
        self.tasks("test", source)

    def test_tasks(self, split: Split) -> dict[str, Any]:
        """The file or folder, the shape, which classes the split has, however that was decided,
        and what is in them."""
        names = getattr(self, split)
        # Not the names themselves: there may be thousands.
        digest = hashlib.sha256("\n".join(names).encode(errors="surrogatepass")).hexdigest()[:12]
        found = {"classes": f"{len(names)}, {digest}", "contents": self.digest(names)}
        settings = {name: getattr(self, name) for name in NaturalImages.at_test}
        return {"on": self.path, "settings": {**settings, **found}}

    @property
    def training_classes(self) -> int | None:
        """Those of training, once they are divided."""
        return len(self.train) or None

    def notes(self) -> list[str]:
        """Which class is in which split, or in none; the run's recipe.json keeps it."""
        splits = {"training": self.train, "validation": self.validation, "test": self.test}
        told = {**splits, "left out": self.left_out} if self.left_out else splits
        return [f"{split}: {', '.join(names)}" for split, names in told.items()]

    def data(self, split: Split = "test") -> str:
        """The folder, how many classes of it, and the shape of tasks."""
        named = "training" if split == "train" else split
        return f"{self.path} ({len(getattr(self, split))} {named} classes), {self.shape()}"


@dataclass(frozen=True)
class FolderImages(YourImages):
    """Photographs or drawings of your own: a folder with one sub-folder for each class."""

    name: ClassVar[str] = "folder"
    has: ClassVar[str] = "photographs in folders"
    at_test: ClassVar[dict[str, str]] = {**YourImages.at_test, "ink": "ink"}

    @classmethod
    def spelled(cls) -> str:
        """Its path."""
        return "FOLDER/"

    size: int = 0
    """Height and width in pixels that images are scaled to; with 0, 84, or the input size of a
    pretrained network."""
    colour: Literal["auto", "colour", "grey"] = "auto"
    """Whether images are read in colour; `auto` reads colour if any image has some."""
    ink: Literal["light", "dark", "auto"] = "light"
    """`light` leaves images as they are; `dark` inverts drawings of dark ink on light paper, and
    `auto` those grey images whose border is lighter than middle grey."""

    @property
    def own_ink(self) -> "Ink":
        """As it was asked for."""
        return self.ink

    def names(self) -> tuple[str, ...]:
        """The sub-folders."""
        return tuple(class_files_in(self.path))

    def shaped(self) -> Self:
        """Size and channels."""
        if self.shape_of_one:
            return self
        channels = {"colour": 3, "grey": 1}.get(self.colour) or channels_in(self.path)
        return replace(self, shape_of_one=(self.size or 84, self.size or 84, channels))

    def enlarged(self, size: int) -> Self:
        """Read again from the files, in colour if nobody wants grey."""
        channels = 1 if self.colour == "grey" else 3
        return self if self.size else replace(self, shape_of_one=(size, size, channels))

    def sized_as(self, inputs: Inputs, ink: "Ink") -> Self:
        """As large, as coloured, and of the same ink as the learner's own images."""
        if len(inputs) != 3 or self.shape_of_one:
            return self
        colour = "colour" if inputs[2] == 3 else "grey"
        return replace(self, shape_of_one=inputs, colour=colour, ink=ink)

    def digest(self, names: tuple[str, ...]) -> str:
        """By the names, sizes and bytes of the files, which are the same however large they are
        read."""
        return digest_in(self.path, names)

    def read(self, names: tuple[str, ...], source: Source) -> "ImageClasses":
        """The images, once for each set of classes."""
        return images_in(self.path, names, self.inputs, self.ink)


@dataclass(frozen=True)
class NpzImages(YourImages):
    """Images or features of your own in an .npz file, with labels."""

    name: ClassVar[str] = "npz"
    has: ClassVar[str] = "arrays"

    @classmethod
    def spelled(cls) -> str:
        """Its path."""
        return "FILE.npz"

    def names(self) -> tuple[str, ...]:
        """The labels."""
        return _arrays(self.path).names

    def shaped(self) -> Self:
        """That of the arrays."""
        one = _arrays(self.path).images.shape[2:]
        return replace(self, shape_of_one=(*one, 1) if len(one) == 2 else tuple(one))

    def digest(self, names: tuple[str, ...]) -> str:
        """By the arrays."""
        return self.read(names, Source()).digest()

    def read(self, names: tuple[str, ...], source: Source) -> "ImageClasses":
        """The arrays of these classes."""
        data = _arrays(self.path)
        place = {name: number for number, name in enumerate(data.names)}
        demand_there(names, place, self.path)
        return data.select([place[name] for name in names])


# Names, shape and images are asked for one after the other: the file is read once for all.
@functools.lru_cache(maxsize=2)
def _arrays(path: str) -> "ImageClasses":
    from quickstudy.tasks.arrays import image_arrays

    return image_arrays(path)
