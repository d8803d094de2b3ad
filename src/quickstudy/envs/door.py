"""What a Gymnasium environment returns, checked where it comes in."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from quickstudy.envs.choices import demand_choice, short
from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.errors import RAISED, BadInput, QuickstudyError

GREATEST = 1e18
"""Rewards and observations are float32, and beyond this their squares would not be finite."""


def made_by(make: Callable[[], Any]) -> Any:
    """The environment that `make` makes.

    Raises:
        QuickstudyError: it raised an error.
        BadInput: what it returned is no `gymnasium.Env`.

    Example:
        >>> made_by(lambda: None)  # doctest: +SKIP
        Traceback (most recent call last):
        quickstudy.errors.BadInput: make returned None; let it return one gymnasium.Env
    """
    try:
        environment = make()
    except RAISED as error:
        raise QuickstudyError(
            f"no environment can be made; make failed with {type(error).__name__}: {error}"
        ) from error
    demand_environment(environment)
    return environment


def demand_environment(made: Any) -> None:
    """Refuse what is no `gymnasium.Env` with its spaces.

    Raises:
        BadInput: says what `make` must return.
    """
    gymnasium = import_gymnasium()
    if not isinstance(made, gymnasium.Env):
        hint = ""
        if isinstance(made, type):
            hint = f": {made.__name__}(), not {made.__name__}"
        elif isinstance(made, gymnasium.vector.VectorEnv):
            hint = "; a VectorEnv is what make_vector(copies) returns"
        elif hasattr(made, "step"):
            hint = "; one of Gym, which came before Gymnasium, is wrapped by the package shimmy"
        raise BadInput(f"make returned {made!r}; let it return one gymnasium.Env{hint}")
    for name in ("observation_space", "action_space"):
        space = getattr(made, name, None)
        if not isinstance(space, gymnasium.Space):
            raise BadInput(f"{made}.{name} is {space!r}; let it be a gymnasium.spaces.Space")


def demand_same_spaces(made: Any, observation: Any, action: Any) -> None:
    """Refuse a copy that has other spaces than the first.

    Raises:
        BadInput: says both.
    """
    for name, first in (("observation_space", observation), ("action_space", action)):
        if (own := getattr(made, name)) != first:
            raise BadInput(
                f"{name} is {own}, and in the first environment {first}; give all tasks the same"
            )


def first_seen(returned: Any, space: Any) -> Any:
    """The observation in what `reset` returned, in the space's own terms.

    Args:
        returned: (observation, info).
        space: of observations.

    Raises:
        BadInput: another form, or an observation that is not of the space's shape.

    Example:
        >>> import gymnasium  # doctest: +SKIP
        >>> first_seen((np.zeros(2), {}), gymnasium.spaces.Box(-1, 1, (2,)))  # doctest: +SKIP
        array([0., 0.])
    """
    pair = isinstance(returned, tuple) and len(returned) == 2
    if not pair or not (returned[1] is None or isinstance(returned[1], Mapping)):
        raise BadInput(
            f"reset returned {short(returned)}; return (observation, info), where info is a dict"
        )
    demand_shape(returned[0], space)
    return returned[0]


def outcome(returned: Any, space: Any) -> tuple[Any, float, bool, bool]:
    """The observation, in the space's own terms, the reward and both flags that `step` returned.

    A reward or a flag may be an array of one element.

    Args:
        returned: (observation, reward, terminated, truncated, info).
        space: of observations.

    Raises:
        BadInput: another form; an observation that is not of the space's shape; a reward that is
            no finite number; a flag that is neither true nor false.
    """
    if not isinstance(returned, tuple) or len(returned) != 5:
        hint = ""
        if isinstance(returned, tuple) and len(returned) == 4:
            hint = (
                ". Four values are those of Gym, which came before Gymnasium: return terminated, "
                "the end by the rules, and truncated, the end by a time limit, in place of done"
            )
        raise BadInput(
            f"step returned {short(returned)}; return (observation, reward, terminated, "
            f"truncated, info){hint}"
        )
    observation, reward, terminated, truncated, _ = returned
    demand_shape(observation, space)
    flags = one_flag(terminated, "terminated"), one_flag(truncated, "truncated")
    return observation, one_reward(reward), *flags


def success_in(info: Any) -> np.float32:
    """1 or 0 for the success that a step's `info` tells, as "success" or "is_success";
    not-a-number where it tells none.

    Example:
        >>> float(success_in({"success": True})), float(success_in({}))
        (1.0, nan)
    """
    told = info if isinstance(info, Mapping) else {}
    name = next((name for name in ("success", "is_success") if name in told), None)
    return np.float32(np.nan if name is None else one_flag(told[name], f"info[{name!r}]"))


def demand_shape(observation: Any, space: Any, where: str = "") -> None:
    """Refuse an observation that is not of its space's shape, or is none of its choices, in Dicts
    and Tuples too.

    Raises:
        BadInput: says both.
    """
    spaces, name = import_gymnasium().spaces, f"the observation{where}"
    if isinstance(space, spaces.Box):
        _demand_numbers(observation, space, name)
    elif isinstance(space, spaces.Dict | spaces.Tuple):
        parts = _parts(space)
        # Whatever it is: what cannot be taken apart has other parts.
        there = observation if isinstance(observation, Mapping | tuple | list) else ()
        if set(_parts(there)) != set(parts):
            raise BadInput(
                f"{name} is {short(observation)}; the space, {space}, has the parts "
                f"{list(parts)}: return these, and no other"
            )
        for part, inner in parts.items():
            demand_shape(observation[part], inner, f"{where}[{part!r}]")
    else:
        demand_choice(observation, space, name)


def _demand_numbers(observation: Any, space: Any, name: str) -> None:
    """Refuse what is no array of a Box's shape."""
    fits = type(observation) is np.ndarray and observation.shape == space.shape
    if fits and observation.dtype.kind in "fiub":
        return
    if np.ma.is_masked(observation):
        raise BadInput(f"{name} is {short(observation)}, masked in part; fill it with numbers")
    if isinstance(observation, tuple) and any(isinstance(one, Mapping) for one in observation):
        raise BadInput(
            f"{name} is {short(observation)}, which looks like (observation, info) as reset "
            "returns it; give the observation alone"
        )
    try:
        array = np.asarray(observation)
    except ValueError as error:  # ragged
        raise BadInput(f"{name} is {short(observation)}, which is no array: {error}") from error
    if array.shape != space.shape:
        raise BadInput(
            f"{name} is {short(observation)}, of shape {array.shape}; the space, {space}, has the "
            f"shape {space.shape}: return such an observation, or mend observation_space"
        )
    if array.dtype.kind not in "fiubO":
        raise BadInput(f"{name} is {short(observation)}; return real numbers")


def _parts(whole: Any) -> dict[Any, Any]:
    """What a Dict or a Tuple, or an observation of one, is made of."""
    inner = getattr(whole, "spaces", whole)
    return dict(inner) if isinstance(inner, Mapping) else dict(enumerate(inner))


def demand_finite(observations: np.ndarray) -> np.ndarray:
    """The same observations.

    Raises:
        NotFinite: one has numbers that are infinite, beyond `GREATEST`, or not-a-number; its
            `copy` says which.

    Example:
        >>> demand_finite(np.array([[1.0, 2.0], [1.0, np.nan]]))
        Traceback (most recent call last):
        quickstudy.envs.door.NotFinite: 1 of 2 numbers in the observation are infinite, ...
    """
    # Of all copies at once: for each it would take longer than small environments take to step.
    good = np.abs(observations) <= GREATEST
    if not good.all():
        copy = int(np.argmin(good.reshape(len(good), -1).all(1)))
        count = f"{int((~good[copy]).sum())} of {good[copy].size} numbers"
        raise NotFinite(
            f"{count} in the observation are infinite, beyond {GREATEST:g}, or not-a-number, as "
            f"None becomes: {short(observations[copy])}",
            copy,
        )
    return observations


class NotFinite(BadInput):
    """An observation that is infinite, too large to be squared, or not-a-number.

    Attributes:
        copy: whose, of those that were looked at together.
    """

    def __init__(self, message: str, copy: int) -> None:
        super().__init__(message)
        self.copy = copy


def one_reward(value: Any) -> float:
    """A reward, also from an array of one element.

    Raises:
        BadInput: it is no finite number, or beyond `GREATEST`.
    """
    try:
        one = _one(value)
        reward = float(one) if isinstance(one, bool | int | float) else math.nan
    except (TypeError, ValueError, OverflowError):
        reward = math.nan
    if not abs(reward) <= GREATEST:
        raise BadInput(
            f"the reward is {short(value)}; return one finite number, of at most {GREATEST:g}"
        )
    return reward


def one_flag(value: Any, name: str) -> bool:
    """A flag, also from an array of one element.

    Raises:
        BadInput: it is neither true nor false.
    """
    if type(value) is bool:
        return value
    one = _one(value)
    if not isinstance(one, bool | int | float) or one not in (0, 1):
        raise BadInput(f"{name} is {short(value)}; return True or False")
    return bool(one)


def _one(value: Any) -> Any:
    """A number itself, or the element of an array of one."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, float):
        return value
    # What is masked has a number below the mask, which nobody meant.
    array = np.asarray(value)
    return array.item() if array.size == 1 and not np.ma.is_masked(value) else None
