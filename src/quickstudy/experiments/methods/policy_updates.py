"""The choices of MAML for RL: what an update moves and how, what is estimated, what improves."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from quickstudy.errors import demand_counts
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.inner import InnerRule
    from quickstudy.rl.first_weights import FirstWeights
    from quickstudy.rl.outer import Outer


class Drawn(TypedDict):
    """How the weights of a policy are drawn."""

    key: Any
    first: "FirstWeights"


@dataclass(frozen=True)
class RuleConfig(Choice):
    """Base: how an update moves."""

    @abc.abstractmethod
    def build(self, part: Any, rates: tuple[float, float]) -> "InnerRule":
        """The rule for a part of the policy, at those rates at first and later."""


@dataclass(frozen=True)
class RateConfig(RuleConfig):
    """One rate for all parameters."""

    name: ClassVar[str] = "rate"

    def build(self, part: Any, rates: tuple[float, float]) -> "InnerRule":
        """The first rate, then the second."""
        from quickstudy.inner import Rates

        return Rates(rates)


@dataclass(frozen=True)
class LearnedRatesConfig(RuleConfig):
    """A learned rate for each parameter (Meta-SGD)."""

    name: ClassVar[str] = "learned-rates"

    def build(self, part: Any, rates: tuple[float, float]) -> "InnerRule":
        """All rates begin at the first."""
        from quickstudy.inner import LearnedRates

        return LearnedRates.like(part, rates[0])


@dataclass(frozen=True)
class RatePerUpdateConfig(RuleConfig):
    """Learned rates for each array of parameters, one of the first update and one of later ones
    (MAML++)."""

    name: ClassVar[str] = "rate-per-update"

    def build(self, part: Any, rates: tuple[float, float]) -> "InnerRule":
        """The first rates begin at the first, all later ones at the second."""
        import equinox as eqx
        import jax
        import jax.numpy as jnp

        from quickstudy.inner import RatePerStep

        theta = eqx.filter(part, eqx.is_inexact_array)
        return RatePerStep(jax.tree.map(lambda leaf: jnp.asarray(rates, leaf.dtype), theta))


@dataclass(frozen=True)
class AdaptsConfig(Choice):
    """Base: what an update moves."""

    @abc.abstractmethod
    def learner(
        self, environment: Any, widths: tuple[int, int], rule: RuleConfig, how: Drawn
    ) -> tuple[Any, "InnerRule"]:
        """An untrained policy, and the inner rule; `how` its weights are drawn is consumed."""


@dataclass(frozen=True)
class AdaptsEverythingConfig(AdaptsConfig):
    """All parameters."""

    name: ClassVar[str] = "all"

    inner_lr: float = 0.1
    """α of the first update; gradients are means over steps, of advantages of variance 1."""
    # Trained at 0.05, the rate of the paper's tests, navigation has −12 after two updates (step
    # 61).
    later_lr: float = 0.03
    """α of every update after the first, smaller as in the tests of the paper."""

    def learner(
        self, environment: Any, widths: tuple[int, int], rule: RuleConfig, how: Drawn
    ) -> tuple[Any, "InnerRule"]:
        """A policy, and a rule for all of it."""
        from quickstudy.rl.reactive import Reactive

        policy = Reactive.create(environment, widths, **how)
        return policy, rule.build(policy, (self.inner_lr, self.later_lr))


@dataclass(frozen=True)
class AdaptsContextConfig(AdaptsConfig):
    """Only a context that the policy reads (CAVIA)."""

    name: ClassVar[str] = "context"

    context_size: int = 5
    """Size of the context vector."""
    context_lr: float = 1.0
    """α of a context's first update; later updates take half of it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(context_size=self.context_size)

    def learner(
        self, environment: Any, widths: tuple[int, int], rule: RuleConfig, how: Drawn
    ) -> tuple[Any, "InnerRule"]:
        """A policy with a context, which starts at zero in every task."""
        from quickstudy.inner import FromZero, Only
        from quickstudy.rl.reactive import Reactive, context_of

        policy = Reactive.with_context(environment, widths, self.context_size, **how)
        moved = rule.build(context_of(policy), (self.context_lr, self.context_lr / 2))
        return policy, Only(FromZero(moved), context_of)


@dataclass(frozen=True)
class EstimatorConfig(Choice):
    """Base: what the derivative through an update estimates."""

    @abc.abstractmethod
    def build(self) -> Any:
        """The estimator."""


@dataclass(frozen=True)
class LVCConfig(EstimatorConfig):
    """Low variance, and a few percent of bias."""

    name: ClassVar[str] = "lvc"

    def build(self) -> Any:
        """LVC."""
        from quickstudy.rl.estimators import LVC

        return LVC()


@dataclass(frozen=True)
class DiCEConfig(EstimatorConfig):
    """Exact in expectation."""

    name: ClassVar[str] = "dice"

    def build(self) -> Any:
        """DiCE."""
        from quickstudy.rl.estimators import DiCE

        return DiCE()


@dataclass(frozen=True)
class LoadedDiCEConfig(EstimatorConfig):
    """DiCE that forgets past steps' scores at the rate λ = 0.9."""

    name: ClassVar[str] = "loaded-dice"

    def build(self) -> Any:
        """Loaded DiCE."""
        from quickstudy.rl.estimators import DiCE

        return DiCE(0.9)


@dataclass(frozen=True)
class NaiveConfig(EstimatorConfig):
    """The derivative of the surrogate, which is not that of the expectation."""

    name: ClassVar[str] = "naive"

    def build(self) -> Any:
        """Naive."""
        from quickstudy.rl.estimators import Naive

        return Naive()


@dataclass(frozen=True)
class ScoreTermConfig(EstimatorConfig):
    """E-MAML: what the first trajectories are worth for the update counts, too."""

    name: ClassVar[str] = "e-maml"

    def build(self) -> Any:
        """E-MAML."""
        from quickstudy.rl.estimators import Naive, ScoreTerm

        return ScoreTerm(Naive())


@dataclass(frozen=True)
class FirstOrderUpdateConfig(EstimatorConfig):
    """No derivative through the update."""

    name: ClassVar[str] = "first-order"

    def build(self) -> Any:
        """First order."""
        from quickstudy.rl.estimators import FirstOrderEstimator

        return FirstOrderEstimator()


@dataclass(frozen=True)
class OuterConfig(Choice):
    """Base: how the initialisation is improved."""

    @abc.abstractmethod
    def build(self, budget: Budget) -> "Outer":
        """What improves it."""


@dataclass(frozen=True)
class OuterTRPOConfig(OuterConfig):
    """A trust region of the adapted policies."""

    name: ClassVar[str] = "trpo"

    # One radius for the whole training: one that falls by a cosine did no better.
    radius: float = 0.01
    """δ, the largest mean KL divergence of the adapted policies in a step, in nats."""
    curvature_every: int = 1
    """The Fisher matrix is estimated on every n-th trajectory of each task."""

    def build(self, budget: Budget) -> "Outer":
        """TRPO."""
        from quickstudy.rl.outer import OuterTrustRegion
        from quickstudy.rl.trust_region import TrustRegion

        return OuterTrustRegion(TrustRegion(self.radius, damping=1e-3), self.curvature_every)


@dataclass(frozen=True)
class OuterGradientConfig(OuterConfig):
    """One step of Adam up the policy gradient."""

    name: ClassVar[str] = "policy-gradient"

    def epochs(self) -> int:
        """Steps on the same trajectories."""
        return 1

    def build(self, budget: Budget) -> "Outer":
        """Ascent."""
        from quickstudy.rl.outer import OuterAscent

        # Every update counts: counted once a step, ProMP's rate was zero after a fifth of the
        # training.
        return OuterAscent(budget.adam(each=self.epochs()), self.epochs())


@dataclass(frozen=True)
class ProMPConfig(OuterGradientConfig):
    """Several clipped steps of Adam on the same trajectories (ProMP)."""

    name: ClassVar[str] = "promp"

    def epochs(self) -> int:
        """Five."""
        return 5
