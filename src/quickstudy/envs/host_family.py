"""A family of MDPs that are stepped on the host, as policies and trials know it."""

import equinox as eqx
from jaxtyping import PRNGKeyArray

from quickstudy.envs.environment import (
    MDP,
    Action,
    Actions,
    Environment,
    Observation,
    State,
    Step,
)
from quickstudy.envs.host import Host
from quickstudy.errors import BadInput


class HostFamily(Environment):
    """A family of MDPs that are stepped on the host, for trials that policies act in there.

    It says all that a policy must know of a family; nothing of it can be compiled.

    Attributes:
        host: steps copies of it.
        horizon: the host's.

    Raises:
        BadInput: the host has no horizon, or the family is to be stepped in a compiled program.

    Example:
        >>> HostFamily(poles).observation_shape  # doctest: +SKIP
        (4,)
    """

    host: Host = eqx.field(static=True)
    horizon: int = eqx.field(static=True)

    def __init__(self, host: Host) -> None:
        if host.horizon is None:
            raise BadInput(
                "trials need to know how long episodes can be; give "
                f"{type(host).__name__} a horizon"
            )
        self.host, self.horizon = host, host.horizon

    @property
    def actions(self) -> Actions:
        """What may be done."""
        return self.host.actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of an observation."""
        return self.host.observation_shape

    def sample(self, key: PRNGKeyArray) -> MDP:
        """Refused: tasks are drawn on the host."""
        raise self._refusal()

    def reset(self, key: PRNGKeyArray, task: MDP) -> tuple[State, Observation]:
        """Refused: episodes begin on the host."""
        raise self._refusal()

    def step(self, key: PRNGKeyArray, state: State, action: Action, task: MDP) -> Step:
        """Refused: episodes go on on the host."""
        raise self._refusal()

    def _refusal(self) -> BadInput:
        return BadInput(
            "a HostFamily is stepped on the host and cannot be compiled; train with HostRL2 or "
            "HostMAMLRL, and act by host_rollouts"
        )
