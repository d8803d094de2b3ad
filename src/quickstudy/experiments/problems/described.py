"""A family of which a file of weights tells all that a policy must know of it, and no code."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.problem import Split
from quickstudy.experiments.recipe import Recipe
from quickstudy.experiments.scope import NOTHING
from quickstudy.experiments.settings import read_settings

if TYPE_CHECKING:
    from quickstudy.envs.environment import MDPFamily
    from quickstudy.envs.interface import Interface


@dataclass(frozen=True)
class DescribedFamily(FamilyProblem):
    """A family that policies can be made for, and not be trained in."""

    interface: "Interface | None" = None

    def environment(self, split: Split, copies: int | None = None) -> "MDPFamily":
        """Its description."""
        from quickstudy.envs.interface import Described

        assert self.interface is not None
        return Described(self.interface)


def described(recipe: dict[str, Any], interface: dict[str, Any]) -> Recipe:
    """A recipe that makes the policy of a file, from what the file's header tells.

    Args:
        recipe: as `Recipe.to_json` or an older version wrote it.
        interface: as `Interface.to_json` wrote it.

    Raises:
        BadInput: the method is code of the user's own, or of another version.
    """
    from quickstudy.envs.interface import Interface
    from quickstudy.experiments.methods import any_method
    from quickstudy.experiments.version01 import as_of_today

    value = as_of_today(recipe)
    episodes = value["problem"]["trial_episodes"]
    problem = DescribedFamily(trial_episodes=episodes, interface=Interface.from_json(interface))
    method = any_method(value["method"], problem, NOTHING)
    return Recipe(problem, method, read_settings(Budget, value["budget"]), name=value["recipe"])
