"""What a Gymnasium environment returns, checked where it comes in."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from quickstudy.envs.choices import demand_choice, short
from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.envs.pixels import is_picture
from quickstudy.envs.real_numbers import as_array, demand_real
from quickstudy.errors import RAISED, BadInput, QuickstudyError, said_by

SUCCESS = ("success", "is_success")
"""By which names a step's `info` tells it."""
GREATEST = 1e12
"""Of rewards and observations, which are float32: up to this the squares of the sums over a trial
are finite, summed over all trials of a step."""


def made_by(
    make: Callable[[], Any], demand: Callable[[Any], None] | None = None, beside: int = 0
) -> Any:
    """The environment that `make` makes.

    Args:
        make: makes it.
        demand: refuses what it may not be; without it, what is no `gymnasium.Env`.
        beside: how many are open.

    Raises:
        QuickstudyError: it raised an error.
        BadInput: what it returned is refused.

    Example:
        >>> made_by(lambda: None)  # doctest: +SKIP
        Traceback (most recent call last):
        quickstudy.errors.BadInput: make returned None; let it return one gymnasium.Env
    """
    try:
        environment = make()
    except RAISED as error:
        if not beside:
            why = f"no environment can be made; make failed with {said_by(error)}"
            raise QuickstudyError(why) from error
        raise QuickstudyError(
            f"{said_by(error)}. If no more than {beside} can be open at a time, give --copies "
            f"{beside}, in Python copies={beside}"
        ) from error
    (demand or demand_environment)(environment)
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
    demand_spaces(made, "observation_space", "action_space")


def demand_spaces(made: Any, *names: str) -> None:
    """Refuse an environment in which one of these is no space.

    Raises:
        BadInput: names the first.
    """
    for name in names:
        space = getattr(made, name, None)
        if not isinstance(space, import_gymnasium().Space):
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
        returned: as `pair_of` has it.
        space: of observations.

    Raises:
        BadInput: another form, or an observation that is not of the space's shape.

    Example:
        >>> import gymnasium  # doctest: +SKIP
        >>> first_seen((np.zeros(2), {}), gymnasium.spaces.Box(-1, 1, (2,)))  # doctest: +SKIP
        array([0., 0.])
    """
    observation, _ = pair_of(returned)
    demand_shape(observation, space)
    return observation


def pair_of(returned: Any) -> tuple[Any, Any]:
    """What `reset` returned: (observation, info).

    Raises:
        BadInput: another form.
    """
    pair = isinstance(returned, tuple) and len(returned) == 2
    if not pair or not (returned[1] is None or isinstance(returned[1], Mapping)):
        raise BadInput(
            f"reset returned {short(returned)}; return (observation, info), where info is a dict"
        )
    return returned


def five_of(returned: Any) -> tuple[Any, Any, Any, Any, Any]:
    """What `step` returned: (observation, reward, terminated, truncated, info).

    Raises:
        BadInput: another form.
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
    return returned


def outcome(returned: Any, space: Any) -> tuple[Any, float, bool, bool]:
    """The observation, in the space's own terms, the reward and both flags that `step` returned.

    A reward or a flag may be an array of one element.

    Args:
        returned: as `five_of` has it.
        space: of observations.

    Raises:
        BadInput: another form; an observation that is not of the space's shape; a reward that is
            no finite number; a flag that is neither true nor false.
    """
    observation, reward, terminated, truncated, _ = five_of(returned)
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
    name = next((name for name in SUCCESS if name in told), None)
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
    # What most environments return, at every step.
    kind = observation.dtype if fits else None
    if kind == np.uint8 or (kind is not None and kind.kind in "fiub" and not is_picture(space)):
        return
    if np.ma.is_masked(observation):
        raise BadInput(f"{name} is {short(observation)}, masked in part; fill it with numbers")
    if isinstance(observation, tuple) and any(isinstance(one, Mapping) for one in observation):
        raise BadInput(
            f"{name} is {short(observation)}, which looks like (observation, info) as reset "
            "returns it; give the observation alone"
        )
    array = as_array(observation, name)
    if array.shape != space.shape:
        raise BadInput(
            f"{name} is {short(observation)}, of shape {array.shape}; the space, {space}, has the "
            f"shape {space.shape}: return such an observation, or mend observation_space"
        )
    array = demand_real(array, name)
    if is_picture(space) and not _holds(space, array.astype(np.float64)):
        raise BadInput(
            f"{name} holds {array.dtype} from {array.min():g} to {array.max():g}; the space, "
            f"{space}, is of pictures: return whole numbers from {space.low.min()} to "
            f"{space.high.max()}, as uint8, or mend observation_space"
        )


def _holds(space: Any, array: np.ndarray) -> bool:
    """Whether all are whole numbers within the bounds."""
    # Not-a-numbers are none; `demand_finite` names them.
    inside = (array >= space.low) & (array <= space.high) & (array == np.rint(array))
    return bool((inside | np.isnan(array)).all())


def _parts(whole: Any) -> dict[Any, Any]:
    """What a Dict or a Tuple, or an observation of one, is made of."""
    inner = getattr(whole, "spaces", whole)
    return dict(inner) if isinstance(inner, Mapping) else dict(enumerate(inner))


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
    if isinstance(value, float):
        return value
    if not isinstance(value, np.generic):
        # What is masked has a number below the mask, which nobody meant.
        value = np.asarray(value) if not np.ma.is_masked(value) else np.zeros(0)
    one = value.item() if value.size == 1 else None
    # A longdouble is its own item, as Python has no number for it.
    return float(one) if isinstance(one, np.floating) else one
