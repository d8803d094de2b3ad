"""Reptile: towards what fine-tuning finds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.data import OnData, OnGlyphs, OnOmniglot, OnSinusoids

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithReptile(OnData):
    """Reptile: plain descent outside, with a step ε that falls to zero."""

    source: ClassVar[str] = "Nichol et al., 2018, https://arxiv.org/abs/1803.02999"

    learning_rate: float = 1.0
    """ε, the outer step at the start; it falls to zero on a line."""
    clip: float = 1e9
    inner_lr: float = 1e-3
    """Adam's rate in the inner loop."""
    inner_steps: int = 5
    """k in training."""
    test_inner_steps: int = 50
    """k in validation and test."""
    inner_batch: int = 10
    """Examples per inner step in training."""

    def learner(self) -> "Learner":
        """Reptile with Adam without momentum inside."""
        import optax

        from quickstudy.learners.reptile import Reptile

        return Reptile(
            self.model(),
            optax.adam(self.inner_lr, b1=0.0),
            batch=self.inner_batch,
            steps=self.inner_steps,
            test_steps=self.test_inner_steps,
            loss=self.loss,
        )

    def optimiser(self) -> "optax.GradientTransformation":
        """θ + ε (φ − θ)."""
        import optax

        return optax.sgd(optax.linear_schedule(self.learning_rate, 0.0, self.steps))


@dataclass(frozen=True)
class ReptileGlyphs(WithReptile, OnGlyphs):
    """Reptile on warped printed characters."""

    name: ClassVar[str] = "reptile-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "4 min on 2 cores"
    steps: int = 4000
    meta_batch: int = 5


@dataclass(frozen=True)
class ReptileOmniglot(WithReptile, OnOmniglot):
    """Reptile on Omniglot."""

    name: ClassVar[str] = "reptile-omniglot"
    reaches: ClassVar[str] = "95.39 / 98.90 / 88.14 / 96.65 % without transduction"
    takes: ClassVar[str] = "about 3 h on 2 cores"
    steps: int = 30_000
    meta_batch: int = 5
    queries: int = 9


@dataclass(frozen=True)
class ReptileSinusoid(WithReptile, OnSinusoids):
    """Reptile on sinusoids."""

    name: ClassVar[str] = "reptile-sinusoid"
    reaches: ClassVar[str] = "no published figure in this setting"
    takes: ClassVar[str] = "1 min on 2 cores"
    steps: int = 30_000
    meta_batch: int = 5
    validate_every: int = 3000
    learning_rate: float = 0.3
    inner_lr: float = 1e-2
