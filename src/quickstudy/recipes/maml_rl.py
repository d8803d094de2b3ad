"""MAML for reinforcement learning: what its recipes share, and 2-D navigation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import demand_counts
from quickstudy.recipes.meta_rl import MetaRL
from quickstudy.recipes.recipe import Split
from quickstudy.recipes.rl2 import OnBandits, OnTables

if TYPE_CHECKING:
    from quickstudy.envs.navigation import Navigation
    from quickstudy.evaluation.trials import Reference
    from quickstudy.experiments.pictures.watch import Episode
    from quickstudy.inner import InnerRule
    from quickstudy.rl.adaptation import Adaptation
    from quickstudy.rl.maml import MAMLRL
    from quickstudy.rl.outer import Outer
    from quickstudy.rl.trial import Trial
    from quickstudy.training.algorithm import AnyAlgorithm

SOURCE = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"


@dataclass(frozen=True)
class WithMAML(MetaRL):
    """MAML for RL: policy-gradient steps in every task, and an exact path back through them."""

    stage: ClassVar[str] = "update"

    episodes: int = 4
    """Stages that are tested: before any update, and after each of the others."""
    meta_batch: int = 20
    """Tasks per step."""
    validate_every: int = 20
    validation_episodes: int = 40
    """Tasks per validation."""
    trajectories: int = 20
    """K, trajectories per task before each update and after the last."""
    width: int = 100
    """Hidden units in each of the policy's two layers."""
    inner_lr: float = 0.1
    """α of the first update; gradients are means over steps, of advantages of variance 1."""
    later_lr: float = 0.03
    """α of every update after the first, smaller as in the tests of the paper."""
    inner_steps: int = 1
    """k, updates in training."""
    estimator: Literal["lvc", "dice", "loaded-dice", "naive", "e-maml", "first-order"] = "lvc"
    """What the derivative through an update estimates. DiCE is exact in expectation; LVC is a few
    percent wrong, and steadier with few trajectories; first order leaves it out."""
    rule: Literal["rate", "learned-rates"] = "rate"
    """How an update moves: one rate, or one learned for each parameter (Meta-SGD)."""
    adapts: Literal["all", "context"] = "all"
    """What an update moves: all parameters, or only a context that the policy reads (CAVIA)."""
    context_size: int = 5
    """CAVIA: numbers in the context."""
    context_lr: float = 1.0
    """CAVIA: α of a context's first update, half of it later; in place of the two above."""
    outer: Literal["trpo", "policy-gradient", "promp"] = "trpo"
    """How the initialisation is improved."""
    radius: float = 0.01
    """TRPO: δ, how far in nats the adapted policies may move in a step."""
    curvature_every: int = 1
    """TRPO: the Fisher matrix is estimated on every n-th trajectory of each task."""
    discount: float = 0.99
    """γ."""
    decay: float = 1.0
    """λ of generalised advantages."""
    baseline: Literal["linear", "network"] = "linear"
    """What advantages are measured against, fitted anew to each task's trajectories."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(
            width=self.width, context_size=self.context_size, trajectories=self.trajectories
        )

    def learner(self) -> Any:
        """An untrained policy, and the inner rule."""
        import jax

        from quickstudy.inner import FromZero, Only
        from quickstudy.rl.reactive import Reactive, context_of

        widths = (self.width, self.width)
        environment, key = self.environment("train"), jax.random.key(self.seed)
        if self.adapts == "all":
            policy = Reactive.create(environment, widths, key=key)
            return policy, self.moving(policy, (self.inner_lr, self.later_lr))
        policy = Reactive.with_context(environment, widths, self.context_size, key=key)
        moving = self.moving(context_of(policy), (self.context_lr, self.context_lr / 2))
        return policy, Only(FromZero(moving), context_of)

    def moving(self, part: Any, rates: tuple[float, float]) -> "InnerRule":
        """How an update moves that part of the policy, at those rates at first and later."""
        from quickstudy.inner import LearnedRates, Rates

        return Rates(rates) if self.rule == "rate" else LearnedRates.like(part, rates[0])

    def adaptation(self, rule: Any, split: Split) -> "Adaptation":
        """f_adapt, with that inner rule."""
        from quickstudy.rl import estimators
        from quickstudy.rl.adaptation import Adaptation
        from quickstudy.rl.baseline import LinearBaseline, ValueNetwork

        estimator = {
            "lvc": estimators.LVC(),
            "dice": estimators.DiCE(),
            "loaded-dice": estimators.DiCE(0.9),
            "naive": estimators.Naive(),
            "e-maml": estimators.ScoreTerm(estimators.Naive()),
            "first-order": estimators.FirstOrderEstimator(),
        }[self.estimator]
        baseline = {"linear": LinearBaseline(), "network": ValueNetwork()}[self.baseline]
        how = (rule, estimator, self.trajectories, self.discount, self.decay, baseline)
        return Adaptation(self.environment(split), *how)

    def improved_by(self) -> "Outer":
        """What improves the initialisation."""
        from quickstudy.rl.outer import OuterAscent, OuterTrustRegion
        from quickstudy.rl.trust_region import TrustRegion

        if self.outer == "trpo":
            region = TrustRegion(self.radius, damping=1e-3)
            return OuterTrustRegion(region, self.curvature_every)
        epochs = 1 if self.outer == "policy-gradient" else 5
        return OuterAscent(self.adam(each=epochs), epochs)

    def maml(self) -> "MAMLRL":
        """MAML with all settings."""
        from quickstudy.rl.maml import MAMLRL

        policy, rule = self.learner()
        return MAMLRL(
            policy,
            self.adaptation(rule, "train"),
            self.improved_by(),
            self.inner_steps,
            self.meta_batch,
            self.validation_episodes,
        )

    def algorithm(self) -> "AnyAlgorithm":
        """In compiled environments it is all there is to do."""
        return self.maml()

    def earning(self, learned: Any, split: Split) -> "Reference":
        """Rewards before and after each update."""
        import equinox as eqx

        from quickstudy.rl.maml import update_returns

        policy, rule = learned
        adaptation = self.adaptation(rule, split)
        run = eqx.filter_jit(update_returns)
        return lambda key, trials: run(policy, adaptation, self.episodes - 1, key, trials)

    def tested_with(
        self, learned: Any, updates: int | None, later_lr: float | None
    ) -> "tuple[WithMAML, Any]":
        """The recipe and what it learned, with so many updates and that rate after the first."""
        from quickstudy.errors import BadInput

        changed = self if updates is None else replace(self, episodes=updates + 1)
        if later_lr is None:
            return changed, learned
        if self.rule != "rate" or self.adapts != "all":
            raise BadInput(
                "--later-lr is for one rate that moves all parameters (--rule rate --adapts all); "
                f"this run has --rule {self.rule} --adapts {self.adapts}"
            )
        changed = replace(changed, later_lr=later_lr)
        return changed, (learned[0], changed.learner()[1])

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """And an untrained policy, which adapts by the same updates: what training is worth."""
        return {**super().references(split), "untrained": self.earning(self.learner(), split)}

    def watching(self, learned: Any, trial: "Trial", task: Any, key: Any) -> "list[Episode]":
        """One episode before and after each update, in the trial's own family."""
        import jax

        from quickstudy.experiments.pictures.watch import watch
        from quickstudy.rl.maml import stages
        from quickstudy.rl.trial import Trial

        policy, rule = learned
        adapt_key, key = jax.random.split(key)
        adaptation = replace(self.adaptation(rule, "test"), environment=trial.environment)
        policies = stages(policy, adaptation, task, self.episodes - 1, adapt_key)
        one = Trial(trial.environment, 1)
        return [watch(p, one, task, jax.random.fold_in(key, n))[0] for n, p in enumerate(policies)]

    @property
    def test_trials(self) -> int:
        """Test tasks."""
        return 200


@dataclass(frozen=True)
class OnNavigation(MetaRL):
    """Walk to a goal that is not seen."""

    reward: Literal["distance", "squared-distance"] = "distance"
    """−‖s − g‖, as in the code of MAML's authors, or −‖s − g‖², as in their paper."""

    def environment(self, split: Split) -> "Navigation":
        """Goals are drawn anew."""
        from quickstudy.envs import navigation

        if self.reward == "distance":
            return navigation.Navigation()
        return navigation.Navigation(reward=navigation.squared_distance_reward)

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Who knows the goal."""
        from quickstudy.evaluation.trials import acting
        from quickstudy.oracles.goal import KnowsGoal

        trial = self.trial(split)
        knows = acting(KnowsGoal(self.environment(split)), trial)
        return {**super().references(split), "goal known": knows}


@dataclass(frozen=True)
class MAMLNavigation(WithMAML, OnNavigation):
    """MAML in 2-D navigation: a few steps of a policy gradient lead to an unseen goal.

    Trained for two updates: the first alone finds the goal's direction, the second its distance.
    """

    name: ClassVar[str] = "maml-navigation"
    reaches: ClassVar[str] = "return −8 after one update, −3.2 after two (paper −11.7, −3.3)"
    takes: ClassVar[str] = "six minutes; not reached yet (−12.0 and −4.1; −2.9 after three)"
    source: ClassVar[str] = SOURCE

    steps: int = 400
    inner_steps: int = 2
    curvature_every: int = 4


@dataclass(frozen=True)
class MAMLBandit(WithMAML, OnBandits):
    """MAML on Bernoulli bandits; a trajectory is a pull."""

    name: ClassVar[str] = "maml-bandit"
    reaches: ClassVar[str] = "more than half of the pulls paid after three updates; no target"
    takes: ClassVar[str] = "a minute"
    source: ClassVar[str] = SOURCE

    steps: int = 200
    trajectories: int = 10

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Who knows the best arm, random pulls, and an untrained policy; planners count pulls, not
        updates."""
        found = super().references(split)
        return {name: found[name] for name in ("random", "untrained", "best arm")}


@dataclass(frozen=True)
class MAMLTabular(WithMAML, OnTables):
    """MAML on random tabular MDPs."""

    name: ClassVar[str] = "maml-tabular"
    reaches: ClassVar[str] = "a return that rises with updates; no target"
    takes: ClassVar[str] = "minutes"
    source: ClassVar[str] = SOURCE

    steps: int = 300

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """The optimum, random actions, and an untrained policy; planners count episodes, not
        updates."""
        found = super().references(split)
        return {name: found[name] for name in ("random", "untrained", "optimum")}
