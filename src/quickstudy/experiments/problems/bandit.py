"""Bernoulli bandits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.problem import Split

if TYPE_CHECKING:
    from quickstudy.envs.bandit import Bandit
    from quickstudy.evaluation.trials import Reference
    from quickstudy.rl.trial import Trial

SOLVED = 10  # pulls whose dynamic programme takes a fraction of a second


@dataclass(frozen=True)
class BanditFamily(FamilyProblem):
    """Slot machines, one of which pays best: an episode is a pull."""

    name: ClassVar[str] = "bandit"
    has: ClassVar[str] = "a game"

    arms: int = 5
    """k, the number of arms."""

    def environment(self, split: Split, copies: int | None = None) -> "Bandit":
        """The same distribution in every split; its bandits are never met twice."""
        from quickstudy.envs.bandit import Bandit

        return Bandit(self.arms)

    def states(self) -> int:
        """None are observed."""
        return 0

    def planners(self, trial: "Trial") -> "Mapping[str, Reference]":
        """Bayes-optimal play where it can be worked out, Gittins indices, upper confidence bounds,
        Thompson sampling, greedy rules."""
        from quickstudy.evaluation.trials import same_tasks
        from quickstudy.oracles import bandits
        from quickstudy.oracles.bayes import BayesOptimal
        from quickstudy.oracles.gittins import Gittins

        n = trial.episodes

        def playing(strategy: Any) -> "Reference":
            return same_tasks(
                trial, lambda tasks, key: bandits.play_bandits(strategy, tasks, n, key=key).rewards
            )

        best = {"Bayes optimum": playing(BayesOptimal.of(self.arms, n))} if n <= SOLVED else {}
        return {
            **best,
            "Gittins": playing(Gittins.of(n)),
            "UCB1": playing(bandits.UCB1()),
            "optimistic Thompson": playing(bandits.OptimisticThompson()),
            "Thompson": playing(bandits.Thompson()),
            "greedy": playing(bandits.Greedy()),
            "ε-greedy": playing(bandits.EpsilonGreedy()),
        }

    def oracles(self, trial: "Trial") -> "Mapping[str, Reference]":
        """An oracle that knows the best arm."""
        from quickstudy.evaluation.trials import same_tasks
        from quickstudy.oracles import bandits

        return {"best arm": same_tasks(trial, lambda tasks, _: bandits.best_arm(tasks, 1))}

    @property
    def test_trials(self) -> int:
        """Bandits differ a great deal, and cost little."""
        return 10_000
