"""What is learned: a problem, of labelled examples or of MDPs.

A problem is a frozen dataclass, and its fields are flags. JAX is imported inside the methods, so
that the command line can list problems at once.
"""

import abc
import inspect
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.networks import Inputs, NetworkConfig
from quickstudy.experiments.settings import Choice, settings_json
from quickstudy.progress import Counter, silent

if TYPE_CHECKING:
    from quickstudy.learners.losses import Loss
    from quickstudy.tasks.task import TaskDistribution

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Attributes:
        folder: holds it; `None` for QUICKSTUDY_DATA, or a download.
        progress: is told while files are read or fetched.
    """

    folder: str | None = None
    progress: Counter = silent


@dataclass(frozen=True)
class Problem(Choice):
    """Base of all problems: what is learned, and what it is measured on."""

    has: ClassVar[str] = "something of your own"
    """What a person has who wants this problem: the heading that lists put it under."""
    at_test: ClassVar[dict[str, str]] = {}
    """The flags of `evaluate` that change this problem, and the fields that they set."""
    apart: ClassVar[frozenset[str]] = frozenset()
    """The fields that change no test task: of training alone, or how an input is read."""
    reads_folder: ClassVar[bool] = False
    """Whether `--data` names the folder that holds its data."""

    def prepared(self, source: Source) -> Self:
        """The problem with all that a run must keep, such as which class is in which split."""
        return self

    def unread(self) -> dict[str, str]:
        """The fields that these settings do not read, and why."""
        return {}

    def reads(self) -> str:
        """What a learner or policy must be able to read, in words that differ where it does."""
        return self.name

    @classmethod
    def spelled(cls) -> str:
        """What `--on` is given for it."""
        return cls.name

    def data(self, split: Split = "test") -> str:
        """The data that results are measured on, as tables and pages name them."""
        return self.name

    def notes(self) -> list[str]:
        """What a user should be told when training begins: which class went where, for example."""
        return []

    def contents(self) -> str:
        """A short name for what training reads of the user's own: other data, other name."""
        return ""

    def missing(self) -> str:
        """Where data of the user's own should be and are not; nothing where all are there."""
        return ""

    def demand_tests(self, source: Source) -> None:
        """Refuse data, before a training, that the tests after it could not read. By default none:
        what quickstudy makes or downloads has all that tests need."""

    def tested_as(self, other: "Problem") -> Self:
        """This problem with the shape of another's test tasks, where both have one."""
        shared = {
            field: getattr(other, other.at_test[flag])
            for flag, field in self.at_test.items()
            if flag in other.at_test
        }
        return replace(self, **shared)

    def tested_notes(self) -> list[str]:
        """What a user should be told when another problem's learner is tested on it, as
        `tested_as` made it: which classes it knows, for example."""
        return []

    def changed(self, flags: dict[str, Any]) -> Self:
        """With other settings for a test, by the names of flags."""
        return replace(self, **{self.at_test[flag]: value for flag, value in flags.items()})

    def test_tasks(self, split: Split) -> dict[str, Any]:
        """What decides the tasks of a split, for files: problems for which it is equal give the
        same tasks for the same key.

        Returns:
            "on", what `--on` is given for the problem, and "settings", by the names of
            `evaluate`'s flags where it has them.
        """
        flags = {field: flag for flag, field in self.at_test.items()}
        own = (field.name for field in fields(self) if field.name not in self.apart)
        settings = {flags.get(name, name): settings_json(getattr(self, name)) for name in own}
        return {"on": self.name, "settings": settings}


@dataclass(frozen=True)
class ExampleProblem(Problem):
    """Base of the problems of labelled examples: images, features, points of a curve."""

    usual: ClassVar[dict[str, int]] = {"steps": 2000, "meta_batch": 8}
    """How long most learners train, in settings of a budget."""

    def __post_init__(self) -> None:
        super().__post_init__()
        takes = inspect.signature(self.tasks)
        try:
            takes.bind("train", Source())
        except TypeError as error:
            raise BadInput(
                f"tasks of {type(self).__name__} takes {takes}; write "
                "def tasks(self, split, source)"
            ) from error

    @property
    @abc.abstractmethod
    def inputs(self) -> Inputs:
        """The shape of one input, `(h, w, c)` or `(d,)`."""

    @property
    @abc.abstractmethod
    def outputs(self) -> int:
        """How many numbers a prediction has: ways, or the size of a target."""

    @property
    @abc.abstractmethod
    def classification(self) -> bool:
        """Whether targets are classes."""

    @property
    @abc.abstractmethod
    def network(self) -> NetworkConfig:
        """The network that reads the inputs, where none is asked for."""

    @property
    def loss(self) -> "Loss":
        """L: cross-entropy of classes, squared error of numbers."""
        from quickstudy.learners import losses

        return losses.cross_entropy if self.classification else losses.squared_error

    @property
    def test_episodes(self) -> int:
        """How many test tasks, where no number is asked for."""
        return 1000

    @abc.abstractmethod
    def tasks(self, split: Split, source: Source) -> "TaskDistribution":
        """The tasks of a split, in the shape of a test."""

    def training_tasks(
        self, split: Split, source: Source, ways: int | None = None
    ) -> "TaskDistribution":
        """The tasks that meta-training learns from, or validates on.

        Args:
            split: `train` or `validation`.
            source: of the data.
            ways: so many classes in the tasks that it learns from; `None` for as many as in tests.
        """
        return self.tasks(split, source)

    @property
    def training_classes(self) -> int | None:
        """How many classes the split `train` has, rotations counted, where that is known without
        reading the data."""
        return None

    @property
    def has_classes(self) -> bool:
        """Whether the split `train` has classes to pre-train on: a problem that counts them."""
        return type(self).classes is not ExampleProblem.classes

    def classes(self, source: Source) -> int:
        """How many classes the split `train` has, rotations counted.

        Raises:
            BadInput: there are no classes.
        """
        raise BadInput(f"{self.name} has no classes to pre-train on; choose images, as --on glyphs")

    def reads(self) -> str:
        """The inputs, and whether targets are classes."""
        what = "×".join(map(str, self.inputs))
        kind = f"images of {what}" if len(self.inputs) == 3 else f"inputs of size {what}"
        return f"{kind} in classes" if self.classification else f"{kind} with numbers as targets"

    def shape(self) -> str:
        """The shape of a test task in words, for example "5-way 1-shot"."""
        return ""

    def trained_shape(self, ways: int | None) -> str:
        """That of a training task, where it is not that of a validation task; else nothing."""
        return ""

    def data(self, split: Split = "test") -> str:
        """The data and the shape of test tasks."""
        return f"{self.name}, {self.shape()}" if self.shape() else self.name


def settings_of(problem: Problem) -> str:
    """The settings of a problem that are not its defaults, in words.

    Example:
        >>> from quickstudy.experiments.problems.sinusoid import SinusoidCurves
        >>> settings_of(SinusoidCurves(shots=3))
        'shots 3'
    """
    changed = [f for f in fields(problem) if getattr(problem, f.name) != f.default]
    return ", ".join(f"{f.name.replace('_', ' ')} {getattr(problem, f.name)}" for f in changed)
