"""How many steps a recorded recipe plans, as JSON of today or of version 0.1."""

from typing import Any


def planned_steps(recipe: dict[str, Any]) -> int | None:
    """How many steps a recipe plans, as JSON of today or of version 0.1; `None` if it is neither.

    Example:
        >>> planned_steps({"budget": {"steps": 5}}), planned_steps({"steps": 3})
        (5, 3)
    """
    return recipe.get("budget", recipe).get("steps")


def with_steps(recipe: dict[str, Any], steps: int | None) -> dict[str, Any]:
    """The same recipe with another number of steps.

    Example:
        >>> with_steps({"budget": {"steps": 5, "seed": 1}}, 7)
        {'budget': {'steps': 7, 'seed': 1}}
    """
    if "budget" in recipe:
        return recipe | {"budget": recipe["budget"] | {"steps": steps}}
    return recipe | {"steps": steps} if "steps" in recipe else recipe
