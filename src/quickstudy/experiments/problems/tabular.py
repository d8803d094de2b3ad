"""Random tabular MDPs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.problem import Split

if TYPE_CHECKING:
    from quickstudy.envs.tabular import TabularMDP
    from quickstudy.evaluation.trials import Reference
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class TabularFamily(FamilyProblem):
    """Random MDPs of 10 states, 5 actions and 10 steps."""

    name: ClassVar[str] = "tabular"
    has: ClassVar[str] = "a game"

    def environment(self, split: Split, copies: int | None = None) -> "TabularMDP":
        """The same distribution in every split; its MDPs are never met twice."""
        from quickstudy.envs.tabular import TabularMDP

        return TabularMDP()

    def states(self) -> int:
        """As many as are told apart by what is observed."""
        return self.environment("train").states

    def planners(self, trial: "Trial") -> "Mapping[str, Reference]":
        """Planners that are optimistic, sample from the posterior, or are greedy."""
        from quickstudy.evaluation.trials import same_tasks
        from quickstudy.oracles import tabular

        family: Any = trial.environment

        def playing(planner: Any) -> "Reference":
            return same_tasks(
                trial,
                lambda tasks, key: (
                    tabular.play_tabular(planner, family, tasks, trial.episodes, key=key).returns
                ),
            )

        return {
            "UCRL2": playing(tabular.UCRL2()),
            "BEB": playing(tabular.BEB()),
            "optimistic PSRL": playing(tabular.OptimisticPSRL()),
            "PSRL": playing(tabular.PSRL()),
            "greedy": playing(tabular.GreedyPlanner()),
            "ε-greedy": playing(tabular.EpsilonGreedyPlanner()),
        }

    def oracles(self, trial: "Trial") -> "Mapping[str, Reference]":
        """An oracle that knows the MDP."""
        from quickstudy.evaluation.trials import same_tasks
        from quickstudy.oracles.planning import optimum

        horizon = trial.environment.horizon
        return {"optimum": same_tasks(trial, lambda tasks, _: optimum(tasks, horizon))}
