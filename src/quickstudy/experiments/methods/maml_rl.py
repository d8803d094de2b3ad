"""MAML for reinforcement learning: policy-gradient steps in every task, and the path back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from quickstudy.errors import BadInput, demand_counts
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.family import FamilyProblem, HostProblem
from quickstudy.experiments.methods.maml import FINN
from quickstudy.experiments.methods.policy_baselines import BaselineConfig, LinearBaselineConfig
from quickstudy.experiments.methods.policy_starts import (
    GlorotConfig,
    NoOffsetConfig,
    OffsetConfig,
    WeightsConfig,
)
from quickstudy.experiments.methods.policy_updates import (
    AdaptsConfig,
    AdaptsEverythingConfig,
    Drawn,
    EstimatorConfig,
    LearnedRatesConfig,
    LVCConfig,
    OuterConfig,
    OuterTRPOConfig,
    RateConfig,
    RuleConfig,
)
from quickstudy.experiments.methods.scales import (
    BEFORE,
    FixedScaleConfig,
    ScaleConfig,
    usual_scale,
)
from quickstudy.experiments.policy_method import MOST, PolicyMethod
from quickstudy.experiments.problem import Problem

if TYPE_CHECKING:
    from quickstudy.evaluation.trials import Reference
    from quickstudy.rl.adaptable import Adaptable
    from quickstudy.rl.adaptation import Adaptation
    from quickstudy.rl.greedy import Acts
    from quickstudy.rl.reactive import Reactive
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class MAMLPolicyConfig(PolicyMethod):
    """A policy that policy-gradient steps adapt to a task, trained through these steps."""

    name: ClassVar[str] = "maml"
    source: ClassVar[str] = FINN
    stage: ClassVar[str] = "update"
    at_test: ClassVar[tuple[str, ...]] = (
        "updates",
        "later_lr",
        "trajectories",
        "scored_trajectories",
    )
    chart_titles: ClassVar[dict[str, str]] = {"return": "Reward of an episode after adaptation"}

    updates: int = 3
    """Number of updates in tests; returns are reported before the first and after each."""
    inner_steps: int = 1
    """k, the number of updates in training."""
    scored_updates: int = 1
    """How many of the last policies the objective averages: with 1, the last alone."""
    trajectories: int = 20
    """K, trajectories per task before each update and after the last."""
    scored_trajectories: int = 0
    """How many of a task's K trajectories are scored in tests on the host, before and after each
    update; with 0, all. Meta-World's protocol adapts on 10 and scores 3."""
    width: int = 100
    """Hidden units in each of the policy's two layers."""
    weights: WeightsConfig = GlorotConfig()
    """How the policy's weights are initialised."""
    adapts: AdaptsConfig = AdaptsEverythingConfig()
    """What an update moves: all parameters, or only a context vector that the policy reads
    (CAVIA)."""
    rule: RuleConfig = RateConfig()
    """The inner learning rates: one for all, or learned ones, for each parameter (Meta-SGD) or for
    each array and update (MAML++)."""
    offset: OffsetConfig = NoOffsetConfig()
    """A meta-learned offset that the first update adds to parameters, the same in every task."""
    estimator: EstimatorConfig = LVCConfig()
    """Estimator of the derivative through an update. DiCE is exact in expectation; LVC is a
    few percent wrong, and varies less with few trajectories; first order leaves it out."""
    outer: OuterConfig = OuterTRPOConfig()
    """Algorithm of the outer update."""
    unit: Literal["task", "mean"] = "task"
    """What divides the outer advantages: their standard deviation in each task, so that all tasks
    count alike, or its mean over the tasks, so that the mean return is maximised."""
    discount: float = 0.99
    """γ, the discount."""
    decay: float = 1.0
    """λ of generalised advantage estimation."""
    inner_discount: float | None = None
    """γ of the advantages in updates, if it is not that of `discount`."""
    inner_decay: float | None = None
    """λ of the advantages in updates, if it is not that of `decay`."""
    baseline: BaselineConfig = LinearBaselineConfig()
    """Baseline of the advantages, fitted to each task's trajectories."""
    scale: ScaleConfig | None = None
    """Scale of observations: normalised by `running` statistics, which are kept in the policy, or
    `fixed`, as the environment returns them."""

    before: ClassVar[Mapping[str, Any]] = {**BEFORE, "unit": "task"}

    def prepared(self, problem: Problem) -> Self:
        """With the problem's usual scale, unless another is asked for."""
        return replace(self, scale=self.scale or usual_scale(problem))

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(width=self.width, trajectories=self.trajectories)
        if self.scored_trajectories > self.trajectories:
            scored, drawn = self.scored_trajectories, self.trajectories
            raise BadInput(f"--scored-trajectories {scored} is above --trajectories {drawn}")

    def check(self, problem: Problem) -> None:
        """All trajectories of a task are acted side by side."""
        super().check(problem)
        k = self.trajectories
        if self.scored_trajectories and not isinstance(problem, HostProblem):
            raise BadInput("--scored-trajectories is for families that are not compiled; omit it")
        if isinstance(problem, HostProblem) and (min(problem.copies, k * (MOST // k) or k) % k):
            raise BadInput(
                f"--copies {problem.copies} environments do not share out to tasks of {k} "
                f"trajectories; give a multiple of {k}, or fewer --trajectories"
            )

    def unread(self) -> frozenset[str]:
        """Trials have as many stages as updates say; a trust region has no rate, and learned rates
        begin at the first."""
        rate = {"learning_rate", "clip", "warm_up", "weight_decay"}
        trust = rate if isinstance(self.outer, OuterTRPOConfig) else set()
        learned = {"later_lr"} if isinstance(self.rule, LearnedRatesConfig) else set()
        return super().unread() | {"trial_episodes"} | trust | learned

    def budget(self, problem: Problem) -> Budget:
        """As many tasks as in the paper."""
        tasks = 20 if isinstance(problem, HostProblem) else 40
        return Budget(steps=400, meta_batch=20, validate_every=20, validation_episodes=tasks)

    def copies(self, budget: Budget) -> int:
        """Whole sets of trajectories, of as many tasks as fit."""
        return self.trajectories * max(1, MOST // self.trajectories)

    def learner(self, problem: FamilyProblem, seed: int) -> Any:
        """An untrained policy, and the inner rule."""
        return self._learner(problem.environment("train"), seed)

    def _learner(self, environment: Any, seed: int) -> "Adaptable":
        import jax

        from quickstudy.rl.adaptable import Adaptable

        key = jax.random.key(seed)
        how: Drawn = {"key": key, "first": self.weights.build()}
        widths = (self.width, self.width)
        policy, rule = self.adapts.learner(environment, widths, self.rule, how)
        rule = self.offset.build(policy, rule)
        scale = (self.scale or FixedScaleConfig()).build(environment)
        return Adaptable.of(policy, replace(self.adaptation(rule, environment), scale=scale))

    def _adapting(self, learned: Any, environment: Any) -> "tuple[Reactive, Adaptation]":
        """The policy, and f_adapt with what was learned of it."""
        from quickstudy.rl.adaptable import adapting

        return adapting(learned, self.adaptation(learned[1], environment), environment)

    def adaptation(self, rule: Any, environment: Any) -> "Adaptation":
        """f_adapt, with that inner rule."""
        from quickstudy.rl.adaptation import Adaptation

        return Adaptation(
            environment,
            rule,
            self.estimator.build(),
            self.trajectories,
            self.discount,
            self.decay,
            self.baseline.build(),
            self.inner_discount,
            self.inner_decay,
        )

    def algorithm(self, problem: FamilyProblem, budget: Budget) -> Any:
        """Adapt in tasks, act, and improve through the adaptation."""
        from quickstudy.rl.maml import MAMLRL

        environment = problem.environment("train", self.copies(budget))
        return MAMLRL(
            *self._learner(environment, budget.seed).adapting(environment),
            self.outer.build(budget),
            self.inner_steps,
            budget.meta_batch,
            budget.validation_episodes,
            self.scored_updates,
            self.unit,
        )

    def earning(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", acts: "Acts" = "drawn"
    ) -> "Reference":
        """Rewards before and after each update."""
        from quickstudy.evaluation.trials import adapting

        policy, adaptation = self._adapting(learned, trial.environment)
        return adapting(policy, adaptation, trial.episodes - 1, self.scored_trajectories, acts)

    def references(
        self, problem: FamilyProblem, trial: "Trial", seed: int, acts: "Acts" = "drawn"
    ) -> "dict[str, Reference]":
        """Random actions, an oracle, and an untrained policy, which adapts by the same updates:
        what training is worth."""
        untrained = self._learner(trial.environment, seed)
        return {
            "random": problem.random(trial),
            **problem.oracles(trial),
            "untrained": self.earning(problem, untrained, trial, acts),
        }

    def acts_by(self) -> dict[str, str]:
        """How many trajectories an update is estimated from."""
        few = f", {n} scored" if (n := self.scored_trajectories) else ""
        return {"trajectories": f"{self.trajectories} per update{few}"}

    def stages(self, problem: FamilyProblem) -> int:
        """Before any update, and after each."""
        return self.updates + 1

    def test_trials(self, problem: FamilyProblem) -> int:
        """As many as the paper's where they are stepped: each takes K episodes before and after
        every update."""
        return 40 if isinstance(problem, HostProblem) else 200

    def retested(
        self, learned: Any, problem: FamilyProblem, flags: dict[str, Any]
    ) -> tuple[Self, Any]:
        """With other updates or trajectories, or another rate after the first."""
        import jax

        changed = replace(self, **{name: one for name, one in flags.items() if name != "later_lr"})
        if "later_lr" not in flags:
            return changed, learned
        if not (
            isinstance(self.rule, RateConfig) and isinstance(self.adapts, AdaptsEverythingConfig)
        ):
            raise BadInput(
                "--later-lr is for one rate that moves all parameters (--rule rate --adapts all); "
                f"this run has --rule {self.rule.name} --adapts {self.adapts.name}"
            )
        changed = replace(changed, adapts=replace(self.adapts, later_lr=flags["later_lr"]))
        # The other rate is no array: those of the rule are as they were learned.
        like = jax.tree.structure(changed.learner(problem, 0))
        return changed, jax.tree.unflatten(like, jax.tree.leaves(learned))

    def watched(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", task: Any, key: Any,
        acts: "Acts",
    ) -> Any:  # fmt: skip
        """One episode before and after each update, in the trial's own family."""
        import jax

        from quickstudy.experiments.pictures.watch import watch
        from quickstudy.rl.adapted import stages
        from quickstudy.rl.greedy import acting
        from quickstudy.rl.trial import Trial

        policy, adaptation = self._adapting(learned, trial.environment)
        adapt_key, key = jax.random.split(key)
        actors = [
            acting(one, acts) for one in stages(policy, adaptation, task, self.updates, adapt_key)
        ]
        one = Trial(trial.environment, 1)
        return [watch(a, one, task, jax.random.fold_in(key, n))[0] for n, a in enumerate(actors)]

    def filmed(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", key: Any, number: int,
        acts: "Acts",
    ) -> Any:  # fmt: skip
        """One episode before and after each update, in the task of that number."""
        import jax

        from quickstudy.experiments.pictures.film import film
        from quickstudy.rl.adapted import replayed
        from quickstudy.rl.greedy import acting
        from quickstudy.rl.host_adaptation import host_adaptations
        from quickstudy.rl.trial import Trial

        policy, adaptation = self._adapting(learned, trial.environment)
        host: Any = getattr(trial.environment, "host", None)
        with problem.closing(host):
            found, _ = host_adaptations(policy, adaptation, self.updates, key, 1, first=number)
        policies = replayed(policy, adaptation, jax.tree.map(lambda x: x[0], found))
        one = Trial(trial.environment, 1)
        films = [film(acting(policy, acts), one, key, number) for policy in policies]
        return tuple([part for made in films for part in made[which]] for which in (0, 1))
