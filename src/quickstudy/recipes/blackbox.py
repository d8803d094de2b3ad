"""Black-box learners: a memory of any kind reads the support set."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.recipes.data import OnData, OnGlyphs, OnOmniglot, OnSinusoids

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner

MemoryName = Literal["lstm", "gru", "snail", "transformer", "mean", "class-mean", "attention"]


@dataclass(frozen=True)
class WithMemory(OnData):
    """A black-box learner."""

    source: ClassVar[str] = (
        "Santoro et al., 2016, https://arxiv.org/abs/1605.06065; Mishra et al., 2018, "
        "https://arxiv.org/abs/1707.03141; Garnelo et al., 2018, https://arxiv.org/abs/1807.01613"
    )

    memory: MemoryName = "transformer"
    """What reads the support set; `mean` is the conditional neural process, `class-mean` its form
    for classification, `attention` its attentive form: they ignore the order."""
    memory_size: int = 128
    """The size of the memory's state, or the transformer's width."""
    past: int = 32
    """How many inputs SNAIL, the transformer and attention look back."""
    labels: Literal["paired", "shifted"] = "paired"
    """Whether a label is read with its input, or one step later and every answer is trained."""

    def learner(self) -> "Learner":
        """A body, the memory, a linear head."""
        import jax

        from quickstudy.errors import BadInput
        from quickstudy.learners import blackbox

        if self.memory == "class-mean" and self.labels == "shifted":
            raise BadInput(
                "--memory class-mean puts each input with its label; give --labels paired"
            )
        body, features = self.body()
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        make, layout = {
            "paired": (blackbox.BlackBox, blackbox.Paired()),
            "shifted": (blackbox.SequenceBlackBox, blackbox.Shifted()),
        }[self.labels]
        return make.create(
            body,
            features,
            outputs=self.outputs,
            memory=self._memory(),
            layout=layout,
            key=key,
            loss=self.loss,
        )

    def _memory(self) -> Any:
        from quickstudy.nets.memory import GRU, LSTM
        from quickstudy.nets.sets import AttentiveMemory, ClassMeanMemory, MeanMemory
        from quickstudy.nets.snail import SNAIL
        from quickstudy.nets.transformer import Transformer

        size, past = self.memory_size, self.past
        return {
            "lstm": partial(LSTM.create, features=size),
            "gru": partial(GRU.create, features=size),
            "snail": partial(SNAIL.create, filters=size // 2, past=past),
            "transformer": partial(Transformer.create, width=size, past=past),
            "mean": partial(MeanMemory.create, features=size),
            "class-mean": partial(ClassMeanMemory.create, features=size, ways=self.outputs),
            "attention": partial(AttentiveMemory.create, features=size, past=past),
        }[self.memory]


@dataclass(frozen=True)
class BlackBoxGlyphs(WithMemory, OnGlyphs):
    """A black-box learner on warped printed characters."""

    name: ClassVar[str] = "blackbox-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "3 to 10 min on 2 cores"
    steps: int = 4000
    meta_batch: int = 16


@dataclass(frozen=True)
class BlackBoxOmniglot(WithMemory, OnOmniglot):
    """A black-box learner on Omniglot."""

    name: ClassVar[str] = "blackbox-omniglot"
    reaches: ClassVar[str] = (
        "5-way 1, 5-shot; 20-way 1, 5-shot: SNAIL 99.07 / 99.78 / 97.64 / 99.36 %, "
        "CNP 95.3 / 98.5 / 89.9 / 96.8 %, MANN 82.8 / 94.9 % (5-way)"
    )
    takes: ClassVar[str] = "hours on 2 cores"
    steps: int = 20_000
    meta_batch: int = 16
    validate_every: int = 1000
    memory: MemoryName = "snail"


@dataclass(frozen=True)
class BlackBoxSinusoid(WithMemory, OnSinusoids):
    """A black-box learner on sinusoids."""

    name: ClassVar[str] = "blackbox-sinusoid"
    reaches: ClassVar[str] = "no published figure in this setting"
    takes: ClassVar[str] = "3 min on 2 cores"
    steps: int = 30_000
    meta_batch: int = 25
    validate_every: int = 3000
    memory: MemoryName = "mean"
