"""Black-box learners: a memory of any kind reads the support set."""

import abc
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import BadInput
from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem, Problem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class SupportMemoryConfig(Choice):
    """Base: what reads the support set."""

    memory_size: int = 128
    """Size of the memory's state, or width of the transformer."""

    @abc.abstractmethod
    def maker(self, outputs: int) -> Any:
        """What makes the memory, from the size of its inputs and a key."""


@dataclass(frozen=True)
class SupportLSTMConfig(SupportMemoryConfig):
    """Long short-term memory."""

    name: ClassVar[str] = "lstm"

    def maker(self, outputs: int) -> Any:
        """An LSTM."""
        from quickstudy.nets.memory import LSTM

        return partial(LSTM.create, features=self.memory_size)


@dataclass(frozen=True)
class SupportGRUConfig(SupportMemoryConfig):
    """A gated recurrent unit."""

    name: ClassVar[str] = "gru"

    def maker(self, outputs: int) -> Any:
        """A GRU."""
        from quickstudy.nets.memory import GRU

        return partial(GRU.create, features=self.memory_size)


@dataclass(frozen=True)
class LookingBackConfig(SupportMemoryConfig):
    """Base: memories that keep the last inputs themselves."""

    past: int = 32
    """Number of past inputs that the memory sees."""


@dataclass(frozen=True)
class SupportSNAILConfig(LookingBackConfig):
    """SNAIL: convolutions in time, and attention."""

    name: ClassVar[str] = "snail"

    def maker(self, outputs: int) -> Any:
        """SNAIL."""
        from quickstudy.nets.snail import SNAIL

        if self.memory_size < 2:
            raise BadInput(
                f"--memory-size is {self.memory_size}; SNAIL's layers have half of it: give 2 or "
                "more"
            )
        return partial(SNAIL.create, filters=self.memory_size // 2, past=self.past)


@dataclass(frozen=True)
class SupportTransformerConfig(LookingBackConfig):
    """A transformer."""

    name: ClassVar[str] = "transformer"

    def maker(self, outputs: int) -> Any:
        """A transformer."""
        from quickstudy.nets.transformer import Transformer

        return partial(Transformer.create, width=self.memory_size, past=self.past)


@dataclass(frozen=True)
class SupportMeanConfig(SupportMemoryConfig):
    """The mean of encoded examples: the conditional neural process."""

    name: ClassVar[str] = "mean"

    def maker(self, outputs: int) -> Any:
        """A mean."""
        from quickstudy.nets.sets import MeanMemory

        return partial(MeanMemory.create, features=self.memory_size)


@dataclass(frozen=True)
class SupportClassMeanConfig(SupportMemoryConfig):
    """A mean for each class: the neural process for classification."""

    name: ClassVar[str] = "class-mean"

    def maker(self, outputs: int) -> Any:
        """A mean for each class."""
        from quickstudy.nets.sets import ClassMeanMemory

        return partial(ClassMeanMemory.create, features=self.memory_size, ways=outputs)


@dataclass(frozen=True)
class SupportAttentionConfig(LookingBackConfig):
    """Attention over encoded examples: the attentive neural process."""

    name: ClassVar[str] = "attention"

    def maker(self, outputs: int) -> Any:
        """Attention."""
        from quickstudy.nets.sets import AttentiveMemory

        return partial(AttentiveMemory.create, features=self.memory_size, past=self.past)


@dataclass(frozen=True)
class BlackBoxConfig(LearnerMethod):
    """A memory reads the labelled examples in sequence, then answers."""

    name: ClassVar[str] = "blackbox"
    source: ClassVar[str] = (
        "Santoro et al., 2016, https://arxiv.org/abs/1605.06065; Mishra et al., 2018, "
        "https://arxiv.org/abs/1707.03141; Garnelo et al., 2018, https://arxiv.org/abs/1807.01613"
    )

    memory: SupportMemoryConfig = SupportTransformerConfig()
    """The memory that reads the support set. `mean` is the conditional neural process, `class-mean`
    its form for classification and `attention` its attentive form; these three ignore the order of
    examples."""
    labels: Literal["paired", "shifted"] = "paired"
    """Whether a label is read with its input, or one step later and every answer is trained."""

    def check(self, problem: Problem) -> None:
        """A mean for each class needs classes, and labels beside their inputs."""
        super().check(problem)
        if not isinstance(self.memory, SupportClassMeanConfig):
            return
        if self.labels == "shifted":
            raise BadInput(
                "--memory class-mean puts each input with its label; give --labels paired"
            )
        if isinstance(problem, ExampleProblem) and not problem.classification:
            raise BadInput(
                f"--memory class-mean keeps a mean for each class, and {problem.name} is "
                "regression; give --memory mean"
            )

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """A body, the memory, a linear head."""
        from quickstudy.learners import blackbox

        body, size, key = self.features(problem, seed)
        make, layout = {
            "paired": (blackbox.BlackBox, blackbox.Paired()),
            "shifted": (blackbox.SequenceBlackBox, blackbox.Shifted()),
        }[self.labels]
        how = {"memory": self.memory.maker(problem.outputs), "layout": layout}
        return make.create(body, size, outputs=problem.outputs, **how, key=key, loss=problem.loss)
