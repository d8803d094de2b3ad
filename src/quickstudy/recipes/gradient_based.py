"""MAML's relatives: first-order, Reptile, ANIL, BOIL, Meta-SGD, MAML++, implicit MAML."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.recipes.data import OnData, OnGlyphs, OnOmniglot, OnSinusoids
from quickstudy.recipes.maml import WithInnerSteps

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class Short(OnGlyphs):
    """A training of minutes on glyphs."""

    steps: int = 2000
    meta_batch: int = 8


@dataclass(frozen=True)
class Long(OnOmniglot):
    """A training of about an hour on Omniglot."""

    steps: int = 15_000
    meta_batch: int = 32
    validate_every: int = 1000
    protocol: Literal["snell2017", "finn2017", "lake2015"] = "finn2017"


@dataclass(frozen=True)
class Waves(OnSinusoids):
    """A training of minutes on sinusoids."""

    steps: int = 30_000
    meta_batch: int = 25
    validate_every: int = 3000


@dataclass(frozen=True)
class WithFirstOrder(WithInnerSteps):
    """First-order MAML."""

    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"

    def learner(self) -> "Learner":
        """MAML with Hessians taken as zero."""
        from quickstudy.learners.first_order import FirstOrderMAML

        return FirstOrderMAML(
            self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss
        )


@dataclass(frozen=True)
class FirstOrderGlyphs(WithFirstOrder, Short):
    """First-order MAML on warped printed characters."""

    name: ClassVar[str] = "fomaml-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"


@dataclass(frozen=True)
class FirstOrderOmniglot(WithFirstOrder, Long):
    """First-order MAML on Omniglot."""

    name: ClassVar[str] = "fomaml-omniglot"
    reaches: ClassVar[str] = "98.3 / 99.2 / 89.4 / 97.9 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 30 min on 2 cores"


@dataclass(frozen=True)
class FirstOrderSinusoid(WithFirstOrder, Waves):
    """First-order MAML on sinusoids."""

    name: ClassVar[str] = "fomaml-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "1 min on 2 cores"
    inner_lr: float = 0.01


@dataclass(frozen=True)
class WithANIL(WithInnerSteps):
    """ANIL."""

    source: ClassVar[str] = "Raghu et al., 2020, https://arxiv.org/abs/1909.09157"

    def learner(self) -> "Learner":
        """MAML whose inner loop moves the head."""
        from quickstudy.learners.anil import ANIL

        return ANIL(self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss)


@dataclass(frozen=True)
class ANILGlyphs(WithANIL, Short):
    """ANIL on warped printed characters."""

    name: ClassVar[str] = "anil-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"
    inner_steps: int = 5


@dataclass(frozen=True)
class ANILOmniglot(WithANIL, Long):
    """ANIL on Omniglot."""

    name: ClassVar[str] = "anil-omniglot"
    reaches: ClassVar[str] = "no comparable published figure (20-way 1-shot: 96.2 %)"
    takes: ClassVar[str] = "about 30 min on 2 cores"
    inner_steps: int = 5


@dataclass(frozen=True)
class ANILSinusoid(WithANIL, Waves):
    """ANIL on sinusoids."""

    name: ClassVar[str] = "anil-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "1 min on 2 cores"
    inner_lr: float = 0.01
    inner_steps: int = 5


@dataclass(frozen=True)
class WithMetaSGD(OnData):
    """Meta-SGD."""

    source: ClassVar[str] = "Li et al., 2017, https://arxiv.org/abs/1707.09835"

    inner_lr: float = 0.1
    """All rates at the start."""
    inner_steps: int = 1
    """k, inner steps."""

    def learner(self) -> "Learner":
        """MAML with a learned rate for every number."""
        from quickstudy.learners.meta_sgd import MetaSGD

        return MetaSGD.create(
            self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss
        )


@dataclass(frozen=True)
class MetaSGDGlyphs(WithMetaSGD, Short):
    """Meta-SGD on warped printed characters."""

    name: ClassVar[str] = "meta-sgd-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "3 min on 2 cores"


@dataclass(frozen=True)
class MetaSGDOmniglot(WithMetaSGD, Long):
    """Meta-SGD on Omniglot."""

    name: ClassVar[str] = "meta-sgd-omniglot"
    reaches: ClassVar[str] = "99.53 / 99.93 / 95.93 / 98.97 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 40 min on 2 cores"


@dataclass(frozen=True)
class MetaSGDSinusoid(WithMetaSGD, Waves):
    """Meta-SGD on sinusoids."""

    name: ClassVar[str] = "meta-sgd-sinusoid"
    reaches: ClassVar[str] = "squared error 0.90 after 1 step on 5 points (trained on 5)"
    takes: ClassVar[str] = "1 min on 2 cores"
    inner_lr: float = 0.01


@dataclass(frozen=True)
class WithMAMLPlusPlus(OnData):
    """MAML++."""

    source: ClassVar[str] = "Antoniou et al., 2019, https://arxiv.org/abs/1810.09502"

    inner_lr: float = 0.1
    """All rates at the start."""
    inner_steps: int = 5
    """k, inner steps."""

    def learner(self) -> "Learner":
        """MAML with what makes it train well."""
        from quickstudy.learners.maml_plus_plus import MAMLPlusPlus

        return MAMLPlusPlus.create(
            self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss
        )


@dataclass(frozen=True)
class MAMLPlusPlusGlyphs(WithMAMLPlusPlus, Short):
    """MAML++ on warped printed characters."""

    name: ClassVar[str] = "maml++-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "6 min on 2 cores"
    steps: int = 1500
    inner_steps: int = 3


@dataclass(frozen=True)
class MAMLPlusPlusOmniglot(WithMAMLPlusPlus, Long):
    """MAML++ on Omniglot."""

    name: ClassVar[str] = "maml++-omniglot"
    reaches: ClassVar[str] = "99.47 / 99.93 / 97.65 / 99.33 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 2 h on 2 cores"


@dataclass(frozen=True)
class MAMLPlusPlusSinusoid(WithMAMLPlusPlus, Waves):
    """MAML++ on sinusoids."""

    name: ClassVar[str] = "maml++-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"
    inner_lr: float = 0.01


@dataclass(frozen=True)
class BOILGlyphs(WithInnerSteps, Short):
    """BOIL on warped printed characters."""

    name: ClassVar[str] = "boil-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"
    source: ClassVar[str] = "Oh et al., 2021, https://arxiv.org/abs/2008.08882"

    def model(self) -> Any:
        """A head of zeros would pass no gradient to the body."""
        import jax

        from quickstudy.nets.network import Headed, Linear

        headed = super().model()
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        features = headed.head.weight.shape[0]
        return Headed(headed.body, Linear.create(features, self.ways, key=key))

    def learner(self) -> "Learner":
        """MAML whose inner loop moves the body."""
        from quickstudy.learners.anil import BOIL

        return BOIL(self.model(), inner_lr=self.inner_lr, steps=self.inner_steps, loss=self.loss)


@dataclass(frozen=True)
class WithImplicit(OnData):
    """Implicit MAML."""

    source: ClassVar[str] = "Rajeswaran et al., 2019, https://arxiv.org/abs/1909.04630"

    inner_lr: float = 0.1
    """α, the inner step size."""
    inner_steps: int = 10
    """k, inner steps."""
    penalty: float = 2.0
    """λ, how strongly the task's weights are held near θ."""
    cg_steps: int = 5
    """Steps of the conjugate gradients."""

    def learner(self) -> "Learner":
        """MAML with the implicit meta-gradient."""
        from quickstudy.learners.imaml import ImplicitMAML

        return ImplicitMAML(
            self.model(),
            inner_lr=self.inner_lr,
            steps=self.inner_steps,
            penalty=self.penalty,
            cg_steps=self.cg_steps,
            loss=self.loss,
        )


@dataclass(frozen=True)
class ImplicitGlyphs(WithImplicit, Short):
    """Implicit MAML on warped printed characters."""

    name: ClassVar[str] = "imaml-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "6 min on 2 cores"
    steps: int = 1500


@dataclass(frozen=True)
class ImplicitOmniglot(WithImplicit, Long):
    """Implicit MAML on Omniglot."""

    name: ClassVar[str] = "imaml-omniglot"
    reaches: ClassVar[str] = "99.16 / 99.67 / 94.46 / 98.69 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 3 h on 2 cores"


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
