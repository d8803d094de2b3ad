"""Walking in the plane to a goal that is not seen: navigation, and the half circle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.problem import Split

if TYPE_CHECKING:
    from quickstudy.envs.navigation import Navigation, SparseNavigation
    from quickstudy.evaluation.trials import Reference
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class PlaneFamily(FamilyProblem):
    """Base: an oracle knows the goal."""

    has: ClassVar[str] = "a robot"

    trial_episodes: int = 4
    """n, the number of episodes in a trial."""

    def oracles(self, trial: "Trial") -> "Mapping[str, Reference]":
        """An oracle that knows the goal."""
        from quickstudy.evaluation.trials import acting
        from quickstudy.oracles.goal import KnowsGoal

        plane: Any = trial.environment
        return {"goal known": acting(KnowsGoal(plane), trial)}


@dataclass(frozen=True)
class NavigationFamily(PlaneFamily):
    """A point that walks to a hidden goal; the reward tells how far it is."""

    name: ClassVar[str] = "navigation"

    reward: Literal["distance", "squared-distance"] = "distance"
    """−‖s − g‖, as in the code of MAML's authors, or −‖s − g‖², as in their paper."""

    def environment(self, split: Split, copies: int | None = None) -> "Navigation":
        """Goals are drawn anew."""
        from quickstudy.envs import navigation

        if self.reward == "distance":
            return navigation.Navigation()
        return navigation.Navigation(reward=navigation.squared_distance_reward)


@dataclass(frozen=True)
class HalfCircleFamily(PlaneFamily):
    """A hidden goal on a half circle; there is a reward near it only (PEARL)."""

    name: ClassVar[str] = "half-circle"

    def environment(self, split: Split, copies: int | None = None) -> "SparseNavigation":
        """Goals are drawn anew."""
        from quickstudy.envs.navigation import SparseNavigation

        return SparseNavigation()
