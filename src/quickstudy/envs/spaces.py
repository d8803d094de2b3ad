"""Gymnasium's spaces, and the arrays that policies take and give in their place."""

import functools
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float32

from quickstudy.envs.choices import demand_choice
from quickstudy.envs.environment import (
    MOST_CHOICES,
    WIDEST,
    Actions,
    Continuous,
    Discrete,
    MultiDiscrete,
    Picture,
    demand_drawable,
)
from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.envs.pixels import as_picture, is_picture, picture_shape
from quickstudy.errors import BadInput


class Spaces:
    """What an environment shows and takes, as policies know it.

    Actions:

    - Discrete: a whole number from 0, whatever the space's `start`.
    - MultiDiscrete and MultiBinary of any shape: several whole numbers from 0, `[k]`.
    - A Box `[n]` within ± one limit: as it is.
    - Any other Box with finite bounds: numbers x within ± 1, `[n]`, in place of
      low + (x + 1) / 2 · (high − low), as `gymnasium.wrappers.RescaleAction(env, -1, 1)` has it.

    What lies beyond bounds is clipped; a Box of integers rounds.

    Observations are float32 arrays: a Box as it is, pictures (uint8) of numbers in [0, 1] with the
    channels last, and everything else as one vector, by the rules of `gymnasium.spaces.flatten`.

    Attributes:
        observation: Gymnasium's space of observations.
        action: Gymnasium's space of actions.
        actions: what a policy may do.
        observation_shape: of what it sees.
        pictures: what of it a convolution is to read.

    Raises:
        BadInput: a space that is not taken; the message names a wrapper that helps.

    Example:
        >>> from gymnasium.spaces import Box, Discrete  # doctest: +SKIP
        >>> spaces = Spaces(Discrete(3), Box(0.0, 10.0, (2, 1)))  # doctest: +SKIP
        >>> spaces.actions, spaces.observed(2).tolist()  # doctest: +SKIP
        (Continuous(size=2, limit=1.0), [0.0, 0.0, 1.0])
        >>> spaces.native(np.array([[0.0, 5.0]]))[0].tolist()  # doctest: +SKIP
        [[5.0], [10.0]]
    """

    def __init__(self, observation: Any, action: Any) -> None:
        self.observation, self.action = observation, action
        self.actions: Actions = demand_drawable(_actions(action), f"actions are {action}")
        # What is asked for at every step is looked up once.
        self._start = getattr(action, "start", 0)
        self._bounds = _bounds(action)
        leaves = list(_leaves(observation, ()))
        self._readers = [(path, _reader(leaf)) for path, leaf in leaves]
        spaces = import_gymnasium().spaces
        starts = np.cumsum([0, *(spaces.flatdim(leaf) for _, leaf in leaves)]).tolist()
        self.observation_shape: tuple[int, ...] = (starts[-1],)
        if isinstance(observation, spaces.Box):
            seen = is_picture(observation)
            self.observation_shape = picture_shape(observation) if seen else observation.shape
        self.pictures = tuple(
            Picture(start, picture_shape(leaf))
            for start, (_, leaf) in zip(starts, leaves, strict=False)
            if is_picture(leaf)
        )

    def observed(self, observation: Any) -> Float32[np.ndarray, "..."]:
        """An observation in the space's terms as a policy sees it, `observation_shape`; a copy."""
        if self._readers and not self._readers[0][0]:
            return self._readers[0][1](observation)
        found = [
            read(functools.reduce(operator.getitem, path, observation)).reshape(-1)
            for path, read in self._readers
        ]
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def bounds_seen(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest numbers that a policy should see, `observation_shape`."""
        spaces, found = import_gymnasium().spaces, []
        for _, leaf in _leaves(self.observation, ()):
            bounded = isinstance(leaf, spaces.Box) and not is_picture(leaf)
            # Pictures are scaled to [0, 1], and choices are 0 or 1.
            low, high = (leaf.low, leaf.high) if bounded else (0, 1)
            shape = leaf.shape if bounded else (spaces.flatdim(leaf),)
            found.append([np.broadcast_to(bound, shape).ravel() for bound in (low, high)])
        # In double precision, where the widest bounds have a difference.
        low, high = np.concatenate([np.zeros((2, 0)), *found], 1)
        return low.reshape(self.observation_shape), high.reshape(self.observation_shape)

    def native(self, actions: np.ndarray) -> Any:
        """A policy's actions, `[copies, ...]`, in the space's terms: one for each copy, in turn."""
        if isinstance(self.actions, Discrete):
            return [int(action) + int(self._start) for action in actions]
        shape, dtype = (len(actions), *self.action.shape), self.action.dtype
        if isinstance(self.actions, MultiDiscrete):
            return (np.reshape(actions, shape) + self._start).astype(dtype)
        found = np.clip(actions, -self.actions.limit, self.actions.limit)
        if self._bounds is not None:
            # In double precision, and clipped to the bounds, which rounding may pass.
            low, high = self._bounds
            scaled = low + (found.reshape(shape).astype(np.float64) + 1) / 2 * (high - low)
            found = np.clip(scaled, low, high)
        if dtype.kind not in "iu":
            return (np.rint(found) if dtype.kind == "b" else found).astype(dtype)
        # The largest whole numbers are rounded up in double precision, and would overflow.
        most = np.iinfo(dtype).max
        top = float(most) if int(float(most)) <= most else np.nextafter(float(most), 0)
        return np.minimum(np.rint(found), top).astype(dtype)

    def taken(self, action: Any) -> np.ndarray:
        """An action in the space's terms as a policy's, which `native` makes it of.

        Raises:
            BadInput: it is not in the space.
        """
        demand_choice(action, self.action, "the action")
        found = np.asarray(action)
        if found.dtype.kind not in "iubf" or not self._holds(found):
            raise BadInput(f"the action {action!r} is not in the space {self.action}")
        if isinstance(self.actions, Discrete | MultiDiscrete):
            return np.asarray(found - self._start, int).reshape(self.actions.shape)
        if self._bounds is not None:
            low, high = self._bounds
            # Where there is one action alone, whatever the policy did.
            found = 2 * (found - low) / np.where(high > low, high - low, 1) - 1
        return found.reshape(self.actions.shape).astype(np.float32)

    def _holds(self, action: np.ndarray) -> bool:
        """Whether an action has the space's size and is within its bounds, but for rounding."""
        if isinstance(self.actions, Discrete | MultiDiscrete):
            return True  # which `demand_choice` has seen to
        if action.size != self.action.low.size:
            return False
        action = action.reshape(self.action.shape)
        low, high = (bound.astype(np.float64) for bound in (self.action.low, self.action.high))
        slack = 1e-5 * np.maximum(np.abs(low), np.abs(high))
        return bool(np.all((action >= low - slack) & (action <= high + slack)))


def _reader(leaf: Any) -> Callable[[Any], Float32[np.ndarray, "..."]]:
    """What makes a float32 array of an observation in a space without parts; always a copy, as an
    environment may hand out one array at every step."""
    # No function that is made here: spaces are sent to other processes.
    if is_picture(leaf):
        picture_shape(leaf)  # refuses what has no numbers, and so no least one
        return functools.partial(as_picture, low=float(leaf.low.min()), high=float(leaf.high.max()))
    if isinstance(leaf, import_gymnasium().spaces.Box):
        return functools.partial(np.array, dtype=np.float32)
    return functools.partial(_flat, leaf)


def _flat(space: Any, value: Any) -> Float32[np.ndarray, " n"]:
    # A whole number may be a float, by which nothing is looked up.
    whole = value if isinstance(value, int) else np.asarray(value).astype(space.dtype)
    return np.array(import_gymnasium().spaces.flatten(space, whole), np.float32)


def _leaves(space: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The spaces within Dicts and Tuples, in Gymnasium's order, each with the way there."""
    spaces = import_gymnasium().spaces
    choices = (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
    if isinstance(space, spaces.Dict):
        inner = space.spaces.items()
    elif isinstance(space, spaces.Tuple):
        inner = enumerate(space.spaces)
    elif isinstance(space, spaces.Box) or (
        isinstance(space, choices) and spaces.flatdim(space) <= MOST_CHOICES
    ):
        yield path, space
        return
    else:
        where = "".join(f"[{step!r}]" for step in path)
        raise BadInput(
            f"observations{where} are {space}, which a network cannot read; turn them into arrays "
            "of one shape: gymnasium.wrappers.TransformObservation(env, f, Box(...)), where "
            "f(observation) is such an array"
        )
    for step, one in inner:
        yield from _leaves(one, (*path, step))


def _actions(space: Any) -> Actions:
    """What a policy may do in a space."""
    spaces = import_gymnasium().spaces
    if isinstance(space, spaces.Discrete):
        return Discrete(int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        return MultiDiscrete(tuple(space.nvec.reshape(-1).tolist()))
    if isinstance(space, spaces.MultiBinary):
        return MultiDiscrete((2,) * math.prod(space.shape))
    if not isinstance(space, spaces.Box):
        raise BadInput(
            f"actions are {space}; give a Box with finite bounds, Discrete, MultiDiscrete or "
            "MultiBinary, as gymnasium.wrappers.TransformAction(env, f, space) makes one, where f "
            "turns an action of that space into one of the environment's"
        )
    bounded = [_finite(bound) for bound in (space.low, space.high)]
    if not np.all(bounded):
        low = np.where(bounded[0], space.low, np.minimum(space.high, 1) - 2)
        high = np.where(bounded[1], space.high, np.maximum(low, -1) + 2)
        raise BadInput(
            f"actions are {space}, without bounds in float32 to scale them by; give bounds with "
            "gymnasium.wrappers.TransformAction(env, lambda action: action, "
            f"gymnasium.spaces.Box({low.min()}, {high.max()}, {space.shape})), or wider ones"
        )
    limit = float(space.high[0]) if _within_one_limit(space) else 1.0
    return Continuous(math.prod(space.shape), limit)


def _finite(bound: np.ndarray) -> Any:
    """Which numbers are finite for policies, who count in float32."""
    return np.abs(bound.astype(np.float64)) <= np.finfo(np.float32).max


def _bounds(space: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Between which policies' actions are scaled, in double precision; `None` for those that are
    left as they are."""
    if not isinstance(space, import_gymnasium().spaces.Box) or _within_one_limit(space):
        return None
    return space.low.astype(np.float64), space.high.astype(np.float64)


def _within_one_limit(box: Any) -> bool:
    """Whether a Box `[n]` is within ± one limit, which policies count in."""
    if len(box.shape) != 1 or not box.shape[0]:
        return False
    # As floats: −1 is 255 in a Box of bytes.
    low, high = box.low.astype(np.float64), box.high.astype(np.float64)
    return bool(high[0] <= WIDEST and np.all(high == high[0]) and np.all(low == -high[0]))
