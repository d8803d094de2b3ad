"""MAML on images and on sinusoids, and the pre-trained network beside it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.recipes.data import OnData, OnGlyphs, OnOmniglot, OnSinusoids

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithInnerSteps(OnData):
    """Any learner with a rate and a number of inner steps."""

    inner_lr: float = 0.4
    """α, the inner step size."""
    inner_steps: int = 1
    """k, inner steps in training."""
    test_inner_steps: int = 0
    """Inner steps in validation and test; with 0, as many as in training."""

    def for_test(self, learner: "Learner") -> "Learner":
        """With the number of inner steps for test."""
        changed: Any = learner
        return replace(changed, steps=self.test_inner_steps or self.inner_steps)


@dataclass(frozen=True)
class WithMAML(WithInnerSteps):
    """MAML."""

    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"

    def learner(self) -> "Learner":
        """MAML with its exact meta-gradient."""
        from quickstudy.learners.maml import MAML

        return MAML(self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss)


@dataclass(frozen=True)
class MAMLGlyphs(WithMAML, OnGlyphs):
    """MAML on warped printed characters; downloads nothing."""

    name: ClassVar[str] = "maml-glyphs"
    reaches: ClassVar[str] = "90 % on 5-way 1-shot, unseen characters, inductive"
    takes: ClassVar[str] = "80 s on 2 cores; not reached yet (77.7 %)"

    steps: int = 3000
    meta_batch: int = 16


@dataclass(frozen=True)
class MAMLOmniglot(WithMAML, OnOmniglot):
    """MAML on Omniglot."""

    name: ClassVar[str] = "maml-omniglot"
    reaches: ClassVar[str] = "98.7 % (5-way 1-shot), 99.9 % (5-way 5-shot), both with --norm batch"
    takes: ClassVar[str] = "about 30 min on 2 cores (5-way 1-shot)"

    steps: int = 15_000
    meta_batch: int = 32
    validate_every: int = 1000
    protocol: Literal["snell2017", "finn2017", "lake2015"] = "finn2017"


@dataclass(frozen=True)
class MAMLSinusoid(WithMAML, OnSinusoids):
    """MAML on sinusoid regression."""

    name: ClassVar[str] = "maml-sinusoid"
    reaches: ClassVar[str] = "squared error 0.67 / 0.38 / 0.35 after 1 / 5 / 10 steps on 5 points"
    takes: ClassVar[str] = "2 min on 2 cores"

    steps: int = 70_000
    meta_batch: int = 25
    validate_every: int = 5000
    inner_lr: float = 0.01


@dataclass(frozen=True)
class PretrainedSinusoid(MAMLSinusoid):
    """One network trained on all sinusoids at once, then fine-tuned."""

    name: ClassVar[str] = "pretrained-sinusoid"
    reaches: ClassVar[str] = "the paper's baseline: 2.41 / 2.23 / 2.19 after 1 / 5 / 10 steps"
    takes: ClassVar[str] = "1 min on 2 cores"

    steps: int = 30_000
    inner_lr: float = 3e-4
    """α, the step size of fine-tuning, the best on validation tasks; MAML's 0.01 diverges here."""

    def learner(self) -> "Learner":
        """MAML's network, trained jointly."""
        from quickstudy.learners.transfer import JointFineTuning

        return JointFineTuning(
            self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss
        )
