"""A recipe: what is learned × how × how long, and what it must reach."""

from dataclasses import dataclass, replace
from typing import Any, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.method import Method, Test, Trainer
from quickstudy.experiments.problem import Problem, Source
from quickstudy.experiments.scope import NOTHING, Scope
from quickstudy.experiments.settings import read_settings, settings_json
from quickstudy.experiments.version01 import FORMAT, as_of_today


@dataclass(frozen=True)
class Card:
    """What a recipe must reach.

    Attributes:
        reaches: the figure.
        takes: how long that takes, and on what.
        source: the paper whose figure it is; the method's own if empty.
    """

    reaches: str = "no published figure"
    takes: str = "not measured yet"
    source: str = ""


@dataclass(frozen=True)
class Recipe:
    """A value that a training is made of.

    Attributes:
        problem: what is learned.
        method: how.
        budget: how long.
        card: what it must reach.
        name: what the command line calls it.

    Raises:
        BadInput: a part is of another kind, as where problem and method are swapped.

    Example:
        >>> from quickstudy.experiments.methods.maml import MAMLConfig
        >>> from quickstudy.experiments.problems.sinusoid import SinusoidCurves
        >>> recipe = Recipe(SinusoidCurves(), MAMLConfig(inner_lr=0.01), Budget(steps=2))
        >>> type(recipe.learner()).__name__
        'MAML'
    """

    problem: Problem
    method: Method
    budget: Budget = Budget()
    card: Card = Card()
    name: str = "unnamed"

    def __post_init__(self) -> None:
        for part, kind in (("problem", Problem), ("method", Method), ("budget", Budget)):
            if not isinstance(value := getattr(self, part), kind):
                raise BadInput(
                    f"the {part} of a recipe is {value!r}; give quickstudy.Recipe(problem, method, "
                    "budget), in this order, each of them a value and not a class"
                )

    @property
    def source(self) -> str:
        """The paper."""
        return self.card.source or self.method.source

    @property
    def seen(self) -> Problem:
        """The problem as the method's network lets it be seen: of features, if it is pretrained."""
        return self.method.seen(self.problem)

    def prepared(self, source: Source | None = None) -> Self:
        """With everything that a run must keep: the network, which class is in which split.

        Raises:
            BadInput: the method cannot learn the problem.
        """
        problem = self.problem.prepared(source or Source())
        method = self.method.prepared(problem)
        method.check(problem)
        return replace(self, problem=problem, method=method)

    def learner(self) -> Any:
        """The untrained learner or policy, whose arrays a file of weights replaces.

        Raises:
            BadInput: the method, one of a user's own, returns none.
        """
        learner = self.method.learner(self.seen, self.budget.seed)
        if learner is None:
            raise BadInput(
                f"{type(self.method).__name__}.learner returned None; return the untrained "
                "learner or policy"
            )
        return learner

    def training(self, source: Source | None = None) -> Trainer:
        """Read the data, and return what trains as the recipe says."""
        return self.method.training(self.seen, self.budget, source or Source())

    def evaluate(self, learned: Any, test: Test | None = None) -> Any:
        """Test what was learned; see `Method.evaluate`."""
        asked = test or Test(self.name)
        return self.method.evaluate(self.seen, learned, asked, self.budget)

    def to_json(self) -> dict[str, Any]:
        """The name and every setting, as `recipe.json` and exported files hold them."""
        parts = {
            part: settings_json(getattr(self, part)) for part in ("problem", "method", "budget")
        }
        return {"recipe": self.name, "format": FORMAT, **parts}


def from_json(value: dict[str, Any], scope: Scope = NOTHING) -> Recipe:
    """The recipe that `Recipe.to_json` wrote, or version 0.1 of quickstudy.

    Raises:
        BadInput: see `quickstudy.experiments.settings.read_settings`.
    """
    # Here, because the table of recipes imports this module.
    from quickstudy.experiments.methods import any_method
    from quickstudy.experiments.problems import any_problem
    from quickstudy.experiments.recipes import RECIPES

    value = as_of_today(value)
    name = str(value.get("recipe", "unnamed"))
    scope.read(value)
    problem = any_problem(value["problem"], scope)
    method = any_method(value["method"], problem, scope)
    card = RECIPES[name].card if name in RECIPES else Card()
    found = Recipe(problem, method, read_settings(Budget, value["budget"], scope), card, name)
    scope.demand_used()
    return found
