"""What is one of so many choices, checked where it comes in: an observation or an action."""

from typing import Any

import numpy as np

from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.errors import BadInput


def demand_choice(value: Any, space: Any, name: str) -> None:
    """Refuse what is none of the choices of a Discrete, MultiDiscrete or MultiBinary space.

    Args:
        value: an observation, or an action.
        space: of these; others hold everything.
        name: of the value, for the message.

    Raises:
        BadInput: says both.
    """
    spaces = import_gymnasium().spaces
    if isinstance(space, spaces.Discrete):
        low, high, shape = space.start, space.start + space.n - 1, ()
        # At every step of most small environments, where arrays would take longer than the step.
        if isinstance(value, int | np.integer) and low <= value <= high:
            return
    elif isinstance(space, spaces.MultiDiscrete):
        low = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape)
        high, shape = low + space.nvec - 1, space.nvec.shape
    elif isinstance(space, spaces.MultiBinary):
        low, high, shape = 0, 1, space.shape
    else:
        return
    try:
        found = np.asarray(value)
        whole = found.shape == shape and found.dtype.kind in "iubf"
        within = whole and bool(np.all((found >= low) & (found <= high) & (found % 1 == 0)))
    except (TypeError, ValueError):
        within = False
    if not within:
        raise BadInput(f"{name} is {short(value)}, which is not in the space {space}")


def short(value: Any) -> str:
    """A value in a message: one line, of at most 120 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
