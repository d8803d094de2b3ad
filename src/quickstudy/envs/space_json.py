"""Gymnasium's spaces as JSON, so that a file of weights says what its policy acts in."""

import json
from typing import Any

import numpy as np

from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.errors import BadInput


def write_space(space: Any) -> dict[str, Any]:
    """A space as JSON: its kind, and what it is made of.

    Raises:
        BadInput: it is no space that `read_space` knows.

    Example:
        >>> from gymnasium.spaces import Box  # doctest: +SKIP
        >>> write_space(Box(-1.0, 1.0, (2,)))  # doctest: +SKIP
        {'space': 'Box', 'low': -1.0, 'high': 1.0, 'shape': [2], 'dtype': 'float32'}
    """
    spaces, kind = import_gymnasium().spaces, type(space).__name__
    if isinstance(space, spaces.Box):
        kind, bounds = "Box", {"low": _bounds(space.low), "high": _bounds(space.high)}
        found = {**bounds, "shape": list(space.shape), "dtype": str(space.dtype)}
    elif isinstance(space, spaces.Discrete):
        kind, found = "Discrete", {"n": int(space.n), "start": int(space.start)}
    elif isinstance(space, spaces.MultiDiscrete):
        start = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape)
        found = {"nvec": space.nvec.tolist(), "start": start.tolist(), "dtype": str(space.dtype)}
        kind = "MultiDiscrete"
    elif isinstance(space, spaces.MultiBinary):
        kind, found = "MultiBinary", {"shape": list(space.shape)}
    elif isinstance(space, spaces.Dict):
        # Pairs, for the order of parts is that of the flat observation.
        kind = "Dict"
        found = {"parts": [[_name(name), write_space(one)] for name, one in space.spaces.items()]}
    elif isinstance(space, spaces.Tuple):
        kind, found = "Tuple", {"parts": [write_space(one) for one in space.spaces]}
    else:
        raise BadInput(f"{space} cannot be written to a file; flatten it to a Box")
    return {"space": kind, **found}


def read_space(value: dict[str, Any]) -> Any:
    """The space that `write_space` wrote.

    Raises:
        BadInput: a kind that this version does not know.
    """
    spaces, settings = import_gymnasium().spaces, dict(value)
    kind = settings.pop("space", None)
    if kind == "Box":
        dtype, shape = np.dtype(settings["dtype"]), tuple(settings["shape"])
        # Whole numbers are not read by way of floats, which would round the largest.
        through = dtype if dtype.kind in "iu" else np.float64
        low, high = (
            np.broadcast_to(np.array(settings[name], through), shape).astype(dtype)
            for name in ("low", "high")
        )
        return spaces.Box(low, high, shape, dtype)
    if kind == "Discrete":
        return spaces.Discrete(settings["n"], start=settings["start"])
    if kind == "MultiDiscrete":
        start, nvec = np.array(settings["start"]), np.array(settings["nvec"])
        return spaces.MultiDiscrete(nvec, np.dtype(settings["dtype"]), start=start)
    if kind == "MultiBinary":
        return spaces.MultiBinary(settings["shape"])
    if kind == "Dict":
        parts = [(_key(name), read_space(one)) for name, one in settings["parts"]]
        return spaces.Dict(parts)
    if kind == "Tuple":
        return spaces.Tuple([read_space(one) for one in settings["parts"]])
    raise BadInput(f"{kind!r} is no space that this version of quickstudy knows")


def space_text(observation: Any, action: Any) -> str:
    """Both spaces of an environment as one text, which can be compared and hashed."""
    both = {"observation": write_space(observation), "action": write_space(action)}
    return json.dumps(both, sort_keys=True)


def _name(name: Any) -> Any:
    """A part's name, if JSON gives it back as it is."""
    if isinstance(name, tuple):
        return tuple(map(_name, name))
    if not isinstance(name, str | int | float | None):
        raise BadInput(
            f"a Dict space has the part {name!r}, a {type(name).__name__}, which cannot be written "
            "to a file; name its parts by text or whole numbers"
        )
    return name


def _key(name: Any) -> Any:
    """A part's name: in JSON a tuple has become a list."""
    return tuple(map(_key, name)) if isinstance(name, list) else name


def _bounds(x: np.ndarray) -> Any:
    """One number where all are equal; infinite ones as text, which JSON has no numbers for."""
    same = x.size and (x == x.flat[0]).all()
    numbers = x.flat[0].item() if same else x.tolist()
    return _finite(numbers)


def _finite(numbers: Any) -> Any:
    if isinstance(numbers, list):
        return [_finite(one) for one in numbers]
    return numbers if np.isfinite(numbers) else str(numbers)
