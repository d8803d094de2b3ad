"""Actors for every environment: one that does anything, and one that knows the task."""

from typing import Any

import equinox as eqx
from jaxtyping import PRNGKeyArray

from quickstudy.envs.environment import MDP, Action, MDPFamily, State
from quickstudy.rl.trial import Seen


class Random(eqx.Module):
    """Any action, equally likely.

    Attributes:
        environment: says which actions there are.
    """

    environment: MDPFamily

    def begin(self, task: MDP) -> State:
        """Nothing."""
        return None

    def act(self, state: State, seen: Seen, *, key: PRNGKeyArray) -> tuple[State, Action, Any]:
        """Draw an action."""
        return state, self.environment.actions.draw(key), None
