"""What methods share that learn within a trial: they act, remember, and are scored by episodes."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.family import FamilyProblem, HostProblem
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
    from quickstudy.rl.greedy import Acts
    from quickstudy.rl.policy import MetaPolicy
    from quickstudy.rl.scale import Scale, Scaled
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class TrialMethod(PolicyMethod):
    """Base of the methods whose policies learn within a trial, and are trained on whole trials."""

    scale: ScaleConfig | None = field(default=None, kw_only=True)
    """Scale of observations and rewards: normalised by `running` statistics, which are kept in the
    policy, or `fixed`, as the environment returns them."""

    before: ClassVar[Mapping[str, Any]] = BEFORE

    @abc.abstractmethod
    def policy(self, problem: FamilyProblem, trial: "Trial", seed: int) -> "MetaPolicy":
        """An untrained policy, which sees everything in the scale that it will be trained in."""

    def prepared(self, problem: Problem) -> Self:
        """With the problem's usual scale, unless another is asked for."""
        return replace(self, scale=self.scale or usual_scale(problem))

    def learner(self, problem: FamilyProblem, seed: int) -> "MetaPolicy | Scaled":
        """An untrained policy."""
        trial = problem.trial("train")
        return self.built_scale(trial).worn(self.policy(problem, trial, seed))

    def built_scale(self, trial: "Trial") -> "Scale":
        """The scale before the first step."""
        return (self.scale or FixedScaleConfig()).build(trial.environment)

    def budget(self, problem: Problem) -> Budget:
        """Many trials a step where they are compiled, and fewer where they are stepped."""
        if isinstance(problem, HostProblem):
            return Budget(
                steps=1000,
                meta_batch=64,
                learning_rate=1e-3,
                clip=0.5,
                validate_every=20,
                validation_episodes=64,
            )
        return Budget(
            steps=1000,
            meta_batch=256,
            learning_rate=2e-3,
            clip=0.5,
            validate_every=50,
            validation_episodes=1000,
        )

    def copies(self, budget: Budget) -> int:
        """One for each trial of a step."""
        return min(budget.meta_batch, MOST)

    def earning(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", acts: "Acts" = "drawn"
    ) -> "Reference":
        """What was learned, acting in such trials."""
        from quickstudy.evaluation.trials import acting
        from quickstudy.rl import greedy

        return acting(greedy.acting(learned, acts), trial)

    def references(
        self, problem: FamilyProblem, trial: "Trial", seed: int, acts: "Acts" = "drawn"
    ) -> "dict[str, Reference]":
        """Planners, random actions, and oracles."""
        return {
            **problem.planners(trial),
            "random": problem.random(trial),
            **problem.oracles(trial),
        }

    def stages(self, problem: FamilyProblem) -> int:
        """The episodes of a trial."""
        return problem.trial_episodes

    def watched(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", task: Any, key: Any,
        acts: "Acts",
    ) -> Any:  # fmt: skip
        """One trial, step by step. The key is consumed."""
        from quickstudy.experiments.pictures.watch import watch
        from quickstudy.rl.greedy import acting

        return watch(acting(learned, acts), trial, task, key)

    def filmed(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", key: Any, number: int,
        acts: "Acts",
    ) -> Any:  # fmt: skip
        """One trial on the host. The key is consumed."""
        from quickstudy.experiments.pictures.film import film
        from quickstudy.rl.greedy import acting

        return film(acting(learned, acts), trial, key, number)
