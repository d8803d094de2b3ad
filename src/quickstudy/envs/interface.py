"""What a policy sees and does, in the terms of the environment that it was made for."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from quickstudy.envs.environment import Actions, Continuous, Discrete, MDPFamily
from quickstudy.errors import BadInput


class Interface(NamedTuple):
    """What a policy must know of an environment to act in it; nothing of its code.

    Attributes:
        actions: what may be done.
        observation_shape: of what is seen.
        horizon: the most steps of an episode in training.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> Interface.of(Bandit(arms=3)).act(np.int32(2))
        2
    """

    actions: Actions
    observation_shape: tuple[int, ...]
    horizon: int

    @classmethod
    def of(cls, family: MDPFamily) -> "Interface":
        """That of a family."""
        return cls(family.actions, tuple(family.observation_shape), family.horizon)

    def see(self, observation: Any) -> Float32[np.ndarray, "..."]:
        """An observation as the policy's array.

        Raises:
            BadInput: another shape, or numbers that are not finite.
        """
        seen = np.asarray(observation, np.float32)
        if seen.shape != self.observation_shape:
            raise BadInput(
                f"the observation has the shape {seen.shape}; the policy was made for "
                f"{self.observation_shape}"
            )
        if not np.isfinite(seen).all():
            raise BadInput(
                f"the observation is {seen}; give finite numbers, on which a policy can act"
            )
        return seen

    def act(self, action: Any) -> Any:
        """A policy's action in the environment's own terms: a whole number, several, or an array
        within the limit."""
        if isinstance(self.actions, Continuous):
            return np.clip(action, -self.actions.limit, self.actions.limit).astype(np.float32)
        return int(action) if isinstance(self.actions, Discrete) else np.asarray(action)
