"""What a policy sees and does, in the terms of the environment that it was made for."""

import functools
import json
from typing import Any, NamedTuple, Self

import equinox as eqx
import numpy as np
from jaxtyping import Float32

from quickstudy.envs.door import demand_shape
from quickstudy.envs.environment import (
    Actions,
    Continuous,
    Discrete,
    MDPFamily,
    MultiDiscrete,
    Picture,
)
from quickstudy.envs.host_family import host_of
from quickstudy.envs.one_copy import demand_finite
from quickstudy.envs.real_numbers import real_numbers
from quickstudy.envs.space_json import read_space, space_text
from quickstudy.envs.spaces import Spaces
from quickstudy.errors import BadInput

KINDS = {kind.__name__: kind for kind in (Discrete, MultiDiscrete, Continuous)}


class Interface(NamedTuple):
    """What a policy must know of an environment to act in it; nothing of its code.

    Attributes:
        actions: what may be done.
        observation_shape: of what is seen.
        horizon: the most steps of an episode in training.
        spaces: Gymnasium's spaces as text; empty for a family that is compiled.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> Interface.of(Bandit(arms=3)).act(np.int32(2))
        2
    """

    actions: Actions
    observation_shape: tuple[int, ...]
    horizon: int
    spaces: str = ""

    @classmethod
    def of(cls, family: MDPFamily) -> "Interface":
        """That of a family."""
        if isinstance(family, Described):
            return family.interface
        host = host_of(family)
        text = "" if host is None else space_text(host.spaces.observation, host.spaces.action)
        return cls(family.actions, tuple(family.observation_shape), family.horizon, text)

    def see(self, observation: Any) -> Float32[np.ndarray, "..."]:
        """An observation in the environment's own terms as the policy's array.

        Raises:
            BadInput: another shape, or numbers that are not finite.
        """
        if self.spaces:
            native = _spaces(self.spaces)
            demand_shape(observation, native.observation)
            return demand_finite(native.observed(observation)[None])[0]
        seen = real_numbers(observation, "the observation")
        if seen.shape != self.observation_shape:
            raise BadInput(
                f"the observation has the shape {seen.shape}; the policy was made for "
                f"{self.observation_shape}"
            )
        # Before it is rounded, by which what is vast becomes infinite.
        return demand_finite(seen[None])[0].astype(np.float32)

    def act(self, action: Any) -> Any:
        """A policy's action in the environment's own terms."""
        if self.spaces:
            return _spaces(self.spaces).native(np.asarray(action)[None])[0]
        if isinstance(self.actions, Continuous):
            return np.clip(action, -self.actions.limit, self.actions.limit).astype(np.float32)
        return int(action) if isinstance(self.actions, Discrete) else np.asarray(action)

    def taken(self, action: Any) -> np.ndarray:
        """An action in the environment's own terms as a policy's: what `act` makes it of.

        Raises:
            BadInput: another shape.
        """
        found = _spaces(self.spaces).taken(action) if self.spaces else self._in_limits(action)
        if found.shape != self.actions.shape:
            raise BadInput(
                f"the action has the shape {found.shape}; the policy's have {self.actions.shape}"
            )
        if not np.isfinite(found).all():
            raise BadInput(f"the action is {action!r}; give finite numbers")
        return found.astype(np.float32 if isinstance(self.actions, Continuous) else np.int32)

    def _in_limits(self, action: Any) -> np.ndarray:
        """An action of a compiled family, which may be taken in it."""
        if isinstance(self.actions, Discrete):
            if np.ndim(action) or action not in range(self.actions.n):
                n = self.actions.n
                raise BadInput(f"the action is {action!r}; give a whole number from 0, below {n}")
            return np.asarray(action)
        found = real_numbers(action, "the action")
        if found.shape != self.actions.shape or not np.isfinite(found).all():
            return found  # `taken` says so
        if isinstance(self.actions, Continuous):
            # As `act` clips them, in single precision.
            limit = self.actions.limit
            good = np.abs(found.astype(np.float32)) <= np.float32(limit)
            wanted = f"from -{limit} to {limit}"
        else:
            choices = self.actions.choices
            good = (found == np.rint(found)) & (found >= 0) & (found < np.array(choices))
            wanted = f"that are whole, from 0, each below that of {choices}"
        if not np.all(good):
            raise BadInput(f"the action is {action!r}; give numbers {wanted}")
        return found

    def to_json(self) -> dict[str, Any]:
        """For a file of weights."""
        kind = type(self.actions).__name__
        spaces = json.loads(self.spaces) if self.spaces else {}
        actions = {"kind": kind, **self.actions._asdict()}
        shape = list(self.observation_shape)
        return {"actions": actions, "seen": shape, "horizon": self.horizon, "spaces": spaces}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` wrote."""
        actions = dict(value["actions"])
        kind: Any = KINDS[actions.pop("kind")]
        made = {name: tuple(x) if isinstance(x, list) else x for name, x in actions.items()}
        spaces = json.dumps(value["spaces"], sort_keys=True) if value["spaces"] else ""
        return cls(kind(**made), tuple(value["seen"]), value["horizon"], spaces)


class Described(MDPFamily):
    """A family of MDPs of which the interface alone is known: policies are made for it, and no step
    is taken in it.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> Described(Interface.of(Bandit(arms=3))).actions
        Discrete(n=3)
    """

    interface: Interface = eqx.field(static=True)
    horizon: int = eqx.field(static=True)

    def __init__(self, interface: Interface) -> None:
        self.interface, self.horizon = interface, interface.horizon

    @property
    def actions(self) -> Actions:
        """What may be done."""
        return self.interface.actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of what is seen."""
        return self.interface.observation_shape

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What of it is a picture."""
        return _spaces(self.interface.spaces).pictures if self.interface.spaces else ()


# Once for each environment: to read them takes longer than a step.
@functools.lru_cache(maxsize=32)
def _spaces(text: str) -> Spaces:
    value = json.loads(text)
    return Spaces(read_space(value["observation"]), read_space(value["action"]))
