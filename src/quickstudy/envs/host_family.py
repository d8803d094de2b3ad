"""A family of MDPs that are stepped on the host, as policies and trials know it."""

import equinox as eqx

from quickstudy.envs.environment import Actions, MDPFamily, Picture
from quickstudy.envs.host import Host
from quickstudy.errors import BadInput


class HostFamily(MDPFamily):
    """A family of MDPs that are stepped on the host, for policies to act and to be trained in.

    Attributes:
        host: steps copies of it.
        horizon: the host's.

    Raises:
        BadInput: the host has no horizon.

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
        return self.host.spaces.actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of an observation."""
        return self.host.spaces.observation_shape

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What of it is a picture."""
        return self.host.spaces.pictures


def host_of(family: MDPFamily) -> Host | None:
    """What steps the family on the host; `None` for a family that is compiled.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> host_of(Bandit(arms=3)) is None
        True
    """
    return family.host if isinstance(family, HostFamily) else None
