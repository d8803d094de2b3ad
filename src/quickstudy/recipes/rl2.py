"""RL² on its own paper's families: bandits and tabular MDPs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.recipes.meta_rl import MetaRL, WithRL2
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.bandit import Bandit
    from quickstudy.envs.tabular import TabularMDP
    from quickstudy.evaluation.trials import Reference

SOLVED = 10  # pulls whose dynamic programme takes a fraction of a second
SOURCE = "Duan et al., 2016, https://arxiv.org/abs/1611.02779"


@dataclass(frozen=True)
class OnBandits(MetaRL):
    """Bernoulli bandits; an episode is a pull."""

    arms: int = 5
    """k."""

    def environment(self, split: Split) -> "Bandit":
        """The same distribution in every split; its bandits are never met twice."""
        from quickstudy.envs.bandit import Bandit

        return Bandit(self.arms)

    def states(self) -> int:
        """None are observed."""
        return 0

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Bayes-optimal play where it can be worked out, Gittins indices, upper confidence bounds,
        Thompson sampling, greedy rules, and who knows the best arm."""
        from quickstudy.evaluation.trials import same_tasks
        from quickstudy.oracles import bandits
        from quickstudy.oracles.bayes import BayesOptimal
        from quickstudy.oracles.gittins import Gittins

        def playing(strategy: Any) -> "Reference":
            return same_tasks(
                self.trial(split),
                lambda tasks, key: (
                    bandits.play_bandits(strategy, tasks, self.episodes, key=key).rewards
                ),
            )

        best = {}
        if self.episodes <= SOLVED:
            best = {"Bayes optimum": playing(BayesOptimal.of(self.arms, self.episodes))}
        return {
            **best,
            "Gittins": playing(Gittins.of(self.episodes)),
            "UCB1": playing(bandits.UCB1()),
            "optimistic Thompson": playing(bandits.OptimisticThompson()),
            "Thompson": playing(bandits.Thompson()),
            "greedy": playing(bandits.Greedy()),
            "ε-greedy": playing(bandits.EpsilonGreedy()),
            **super().references(split),
            "best arm": same_tasks(self.trial(split), lambda tasks, _: bandits.best_arm(tasks, 1)),
        }

    @property
    def test_trials(self) -> int:
        """Bandits differ a great deal, and cost little."""
        return 10_000


@dataclass(frozen=True)
class OnTables(MetaRL):
    """Random tabular MDPs of 10 states, 5 actions and 10 steps."""

    def environment(self, split: Split) -> "TabularMDP":
        """The same distribution in every split; its MDPs are never met twice."""
        from quickstudy.envs.tabular import TabularMDP

        return TabularMDP()

    def states(self) -> int:
        """As many as are told apart by what is observed."""
        return self.environment("train").states

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Planners that are optimistic, sample from the posterior or are greedy, and who knows the
        MDP."""
        from quickstudy.evaluation.trials import same_tasks
        from quickstudy.oracles import tabular
        from quickstudy.oracles.planning import optimum

        family = self.environment(split)

        def playing(planner: Any) -> "Reference":
            return same_tasks(
                self.trial(split),
                lambda tasks, key: (
                    tabular.play_tabular(planner, family, tasks, self.episodes, key=key).returns
                ),
            )

        return {
            "UCRL2": playing(tabular.UCRL2()),
            "BEB": playing(tabular.BEB()),
            "optimistic PSRL": playing(tabular.OptimisticPSRL()),
            "PSRL": playing(tabular.PSRL()),
            "greedy": playing(tabular.GreedyPlanner()),
            "ε-greedy": playing(tabular.EpsilonGreedyPlanner()),
            **super().references(split),
            "optimum": same_tasks(
                self.trial(split), lambda tasks, _: optimum(tasks, family.horizon)
            ),
        }


@dataclass(frozen=True)
class RL2Bandit(WithRL2, OnBandits):
    """RL² on Bernoulli bandits: which arm pays best must be found out by pulling."""

    name: ClassVar[str] = "rl2-bandit"
    reaches: ClassVar[str] = "total reward 6.66 in 10 pulls of 5 arms (the optimum; RL² 6.7)"
    takes: ClassVar[str] = "two minutes"
    source: ClassVar[str] = SOURCE

    steps: int = 800
    discount: float = 1.0


@dataclass(frozen=True)
class RL2Tabular(WithRL2, OnTables):
    """RL² on random tabular MDPs."""

    name: ClassVar[str] = "rl2-tabular"
    reaches: ClassVar[str] = "total reward 156.2 in 10 episodes"
    takes: ClassVar[str] = "five minutes"
    source: ClassVar[str] = SOURCE

    steps: int = 80
    meta_batch: int = 128
    validate_every: int = 20
    width: int = 16
    memory = "table"
    rounds: int = 3
    # What a reward tells of an action drowns in the noise of the next twenty.
    decay: float = 0.3
    entropy_weight: float = 0.01
