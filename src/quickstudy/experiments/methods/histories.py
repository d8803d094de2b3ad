"""What a meta-policy remembers by: history encoders, as choices of `--memory`."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import BadInput, demand_counts
from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from quickstudy.nets.memory import Memory
    from quickstudy.rl.trial import Trial


FEATURES = 64  # of a picture, where no other number is asked for


@dataclass(frozen=True)
class HistoryConfig(Choice):
    """Base: encoders of a trial's observations, actions and rewards."""

    width: int = 64
    """Size of the encoder's output h_t."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(width=self.width)

    def check(self, problem: FamilyProblem) -> None:
        """Refuse families that this memory cannot read."""

    @abc.abstractmethod
    def encoder(self, problem: FamilyProblem, trial: "Trial", seed: int) -> "Memory":
        """The memory, untrained."""


@dataclass(frozen=True)
class ReadingHistoryConfig(HistoryConfig):
    """Base: memories that a layer may read the observation for."""

    reader: int = 0
    """Width of a layer that encodes an observation before the memory reads it; 0 for none. Images
    are encoded by a small convolutional network with this many features, by default 64."""

    @abc.abstractmethod
    def memory(self, inputs: int, observed: int, past: int, key: Any) -> "Memory":
        """The memory itself, untrained.

        Args:
            inputs: the size of x_t.
            observed: how much of it tells of the observation.
            past: steps of a trial.
            key: consumed.
        """

    def encoder(self, problem: FamilyProblem, trial: "Trial", seed: int) -> "Memory":
        """The memory, behind a reader if there is to be one."""
        import jax

        # A memory that looks back reaches over the whole trial, not only over an episode.
        key, past = jax.random.key(seed), trial.steps
        observed = trial.observed

        def memory(left: int) -> "Memory":
            return self.memory(trial.inputs - observed + left, left, past, key)

        return _behind(trial, observed, self.reader, memory, jax.random.fold_in(key, 1))


@dataclass(frozen=True)
class GRUConfig(ReadingHistoryConfig):
    """A gated recurrent unit."""

    name: ClassVar[str] = "gru"

    def memory(self, inputs: int, observed: int, past: int, key: Any) -> "Memory":
        """A GRU."""
        from quickstudy.nets.memory import GRU

        return GRU.create(inputs, self.width, key=key)


@dataclass(frozen=True)
class LSTMConfig(ReadingHistoryConfig):
    """Long short-term memory."""

    name: ClassVar[str] = "lstm"

    def memory(self, inputs: int, observed: int, past: int, key: Any) -> "Memory":
        """An LSTM."""
        from quickstudy.nets.memory import LSTM

        return LSTM.create(inputs, self.width, key=key)


@dataclass(frozen=True)
class SNAILConfig(ReadingHistoryConfig):
    """SNAIL: attention and temporal convolutions; each layer adds half as many features."""

    name: ClassVar[str] = "snail"

    def memory(self, inputs: int, observed: int, past: int, key: Any) -> "Memory":
        """SNAIL."""
        from quickstudy.nets.snail import SNAIL

        if self.width < 2:
            raise BadInput(
                f"--width is {self.width}; SNAIL's layers have half of it: give 2 or more"
            )
        # The paper's stack for images has 4 to 10 million parameters: at width 64 a policy trains
        # 30 times faster with this one.
        half = self.width // 2
        stack = ((half, half), (half, half))
        return SNAIL.create(inputs, filters=half, attention=stack, past=past, key=key)


@dataclass(frozen=True)
class TransformerConfig(ReadingHistoryConfig):
    """A transformer."""

    name: ClassVar[str] = "transformer"

    def memory(self, inputs: int, observed: int, past: int, key: Any) -> "Memory":
        """A transformer."""
        from quickstudy.nets.transformer import Transformer

        return Transformer.create(inputs, self.width, past=past, key=key)


@dataclass(frozen=True)
class TransitionSetConfig(ReadingHistoryConfig):
    """The set of transitions, in any order, as a product of Gaussians (PEARL)."""

    name: ClassVar[str] = "context"

    def pooling(self) -> Any:
        """How transitions are put together."""
        from quickstudy.nets.context import GaussianProduct

        return GaussianProduct()

    def memory(self, inputs: int, observed: int, past: int, key: Any) -> "Memory":
        """A context."""
        from quickstudy.nets.context import Context

        how = {"observed": observed, "pooling": self.pooling(), "key": key}
        return Context.create(inputs, self.width, **how)


@dataclass(frozen=True)
class TransitionMeanConfig(TransitionSetConfig):
    """The set of transitions, as their mean."""

    name: ClassVar[str] = "context-mean"

    def pooling(self) -> Any:
        """Their mean."""
        from quickstudy.nets.context import Mean

        return Mean()


@dataclass(frozen=True)
class TableConfig(HistoryConfig):
    """Counts of what each action did in each state; actions are treated as interchangeable."""

    name: ClassVar[str] = "table"

    width: int = 64
    """Size of the output for each action."""
    rounds: int = 1
    """Number of times that values are passed from states to the actions that lead there."""

    def check(self, problem: FamilyProblem) -> None:
        """States must be listed one by one."""
        if problem.states() is None:
            raise BadInput(
                f"--memory table counts states, and those of {problem.name} are not listed one by "
                "one; give another memory, as --memory gru"
            )

    def encoder(self, problem: FamilyProblem, trial: "Trial", seed: int) -> "Memory":
        """A table."""
        import jax

        from quickstudy.nets.table import TableMemory

        environment = trial.environment
        sizes = (problem.states() or 0, environment.actions.size, self.width)
        lengths = {"past": trial.steps, "horizon": environment.horizon}
        key = jax.random.key(seed)
        return TableMemory.create(*sizes, rounds=self.rounds, **lengths, key=key)


@dataclass(frozen=True)
class NoMemoryConfig(HistoryConfig):
    """The baseline that sees the current observation only."""

    name: ClassVar[str] = "none"

    def encoder(self, problem: FamilyProblem, trial: "Trial", seed: int) -> "Memory":
        """No memory."""
        import jax

        from quickstudy.nets.memoryless import Memoryless

        key = jax.random.key(seed)

        def memory(left: int) -> "Memory":
            return Memoryless.create(self.width, observed=left, key=key)

        return _behind(trial, trial.observed, 0, memory, jax.random.fold_in(key, 1))


def _behind(
    trial: "Trial", observed: int, size: int, memory: "Callable[[int], Memory]", key: Any
) -> "Memory":
    """A memory, behind what reads the observation for it if something does.

    Args:
        trial: in which it remembers.
        observed: the size of an observation.
        size: of the layer that reads, or of a picture's features; 0 for none, or `FEATURES`.
        memory: from the size of what is left of an observation.
        key: another than the memory's own.
    """
    from quickstudy.nets.reader import Reader
    from quickstudy.nets.sight import Sight

    if pictures := trial.environment.pictures:
        sight = Sight.create(pictures, size or FEATURES, key=key)
        inner = memory(sight.features(observed))
        return Reader(sight, inner, observed, features=inner.features)
    if size:
        return Reader.create(memory(size), size, observed=observed, key=key)
    return memory(observed)
