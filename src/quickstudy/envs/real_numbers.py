"""What is to be an array of real numbers, checked where it comes in."""

from typing import Any

import numpy as np

from quickstudy.envs.choices import short
from quickstudy.errors import RAISED, BadInput


def real_numbers(value: Any, name: str) -> np.ndarray:
    """An observation or an action as an array of numbers; `None` becomes not-a-number.

    Args:
        value: that of an environment, or of its user.
        name: of it, for the message.

    Raises:
        BadInput: it is no array, or not of real numbers.

    Example:
        >>> real_numbers([1, 2.5], "the observation")
        array([1. , 2.5])
    """
    return demand_real(as_array(value, name), name)


def as_array(value: Any, name: str) -> np.ndarray:
    """The value as an array of whatever it holds.

    Raises:
        BadInput: it is none.
    """
    try:
        return np.asarray(value)
    except RAISED as error:  # ragged; or whatever an object says of itself
        raise BadInput(f"{name} is {short(value)}, which is no array: {error}") from error


def demand_real(array: np.ndarray, name: str) -> np.ndarray:
    """The array, of a type that holds real numbers.

    Raises:
        BadInput: it holds others, or none.
    """
    # Objects; and JAX's short floats, which are of no kind that NumPy knows.
    if array.dtype.kind in "OV":
        try:
            return array.astype(np.float64)
        except RAISED as error:
            raise BadInput(f"{name} is {short(array)}; give real numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        raise BadInput(f"{name} is {short(array)}; give real numbers")
    return array
