"""What is wrong with one of several copies, and which it is."""

from collections.abc import Callable
from typing import Any

import numpy as np

from quickstudy.envs.choices import short
from quickstudy.envs.door import GREATEST
from quickstudy.errors import RAISED, BadInput, said_by


class OfOneCopy(BadInput):
    """What is wrong is one copy's.

    Attributes:
        copy: whose, of those that were looked at together.
    """

    def __init__(self, message: str, copy: int) -> None:
        super().__init__(message)
        self.copy = copy


def of_copy(copy: int, look: Callable[..., Any], *given: Any) -> Any:
    """`look(*given)`, which is about one copy.

    Raises:
        OfOneCopy: it failed; says why.

    Example:
        >>> of_copy(3, int, "many")
        Traceback (most recent call last):
        quickstudy.envs.one_copy.OfOneCopy: ValueError: invalid literal for int() with base 10: ...
    """
    try:
        return look(*given)
    except RAISED as error:
        raise OfOneCopy(said_by(error), copy) from error


def demand_finite(observations: np.ndarray) -> np.ndarray:
    """The same observations.

    Raises:
        OfOneCopy: one has numbers that are infinite, beyond `GREATEST`, or not-a-number; its
            `copy` says which.

    Example:
        >>> demand_finite(np.array([[1.0, 2.0], [1.0, np.nan]]))
        Traceback (most recent call last):
        quickstudy.envs.one_copy.OfOneCopy: 1 of 2 numbers in the observation are infinite, ...
    """
    # Of all copies at once: for each it would take longer than small environments take to step.
    # Half precision would round the limit to infinity, and the least whole number has no opposite.
    wide = observations if observations.dtype == np.float32 else observations.astype(float)
    good = np.abs(wide) <= GREATEST
    if not good.all():
        copy = int(np.argmin(good.reshape(len(good), -1).all(1)))
        count = f"{int((~good[copy]).sum())} of {good[copy].size} numbers"
        raise OfOneCopy(
            f"{count} in the observation are infinite, beyond {GREATEST:g}, or not-a-number, as "
            f"None becomes: {short(observations[copy])}",
            copy,
        )
    return observations
