"""Errors that say what was given, what was expected, and what to do."""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any


class QuickstudyError(Exception):
    """Base of every error that quickstudy raises on purpose; the command line prints it plainly."""


class BadInput(QuickstudyError, ValueError):
    """The caller gave something that cannot work; the message says what to give instead."""


class DataError(QuickstudyError):
    """Data on disk is missing, damaged, or not what it should be."""


class CheckpointError(QuickstudyError):
    """A checkpoint or a run folder is missing, damaged, or belongs to another recipe."""


class NonFiniteLoss(QuickstudyError, FloatingPointError):
    """The training loss became infinite or not-a-number; training stopped at once."""


class Interrupted(QuickstudyError):
    """The user stopped training; its state is saved."""


RAISED = (Exception, SystemExit)
"""What code of the user's own may raise: it may call sys.exit, which is no reason for us to end."""


def said_by(error: BaseException) -> str:
    """What an error says, after its kind where it is not one of ours.

    Example:
        >>> said_by(KeyError("x")), said_by(BadInput("give x"))
        ("KeyError: 'x'", 'give x')
    """
    return str(error) if isinstance(error, QuickstudyError) else f"{type(error).__name__}: {error}"


def is_whole(value: object, least: int = 1) -> bool:
    """Whether it is a whole number, Python's or NumPy's, not below the least, and neither true nor
    false.

    Example:
        >>> is_whole(2), is_whole(0), is_whole(1.5), is_whole(True)
        (True, False, False, False)
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        return False
    return int(value) >= least


def demand_counts(**given: object) -> None:
    """Whole numbers of 1 or more.

    Raises:
        BadInput: another; the message begins with its name.

    Example:
        >>> demand_counts(trials=0)
        Traceback (most recent call last):
        quickstudy.errors.BadInput: trials is 0; give a whole number of 1 or more
    """
    _demand(given, is_whole, "a whole number of 1 or more")


def demand_key(key: object) -> None:
    """A key of JAX's, new or old style; nothing is drawn from it.

    Raises:
        BadInput: a seed, for example.

    Example:
        >>> demand_key(0)
        Traceback (most recent call last):
        quickstudy.errors.BadInput: key is 0; give a key of JAX's, as jax.random.key(0)
    """
    if not (hasattr(key, "dtype") and hasattr(key, "shape")):
        seed = key if is_whole(key, 0) else 0
        raise BadInput(f"key is {key!r}; give a key of JAX's, as jax.random.key({seed})")


def demand_sizes(count: int | None = None, /, **given: object) -> None:
    """Tuples of whole numbers of 1 or more, as shapes are.

    Args:
        count: how many numbers each must have; as many as it likes, but one, without it.

    Raises:
        BadInput: another; the message begins with its name.

    Example:
        >>> demand_sizes(3, image=(28, 28))
        Traceback (most recent call last):
        quickstudy.errors.BadInput: image is (28, 28); give 3 whole numbers of 1 or more
    """

    def holds(value: Any) -> bool:
        if not isinstance(value, Sequence) or len(value) != (count or max(len(value), 1)):
            return False
        return all(map(is_whole, value))

    _demand(given, holds, f"{count or 'one or more'} whole numbers of 1 or more")


def demand_shares(**given: Any) -> None:
    """Numbers from 0 to 1, both included, as discounts are.

    Raises:
        BadInput: another, or not-a-number; the message begins with its name.

    Example:
        >>> demand_shares(discount=1.5)
        Traceback (most recent call last):
        quickstudy.errors.BadInput: discount is 1.5; give a number from 0 to 1
    """
    _demand(given, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def demand_positive(**given: Any) -> None:
    """Finite numbers above 0.

    Raises:
        BadInput: another; the message begins with its name.

    Example:
        >>> demand_positive(radius=0.0)
        Traceback (most recent call last):
        quickstudy.errors.BadInput: radius is 0.0; give a finite number above 0
    """
    _demand(given, lambda value: 0 < value < math.inf, "a finite number above 0")


def _demand(given: Mapping[str, Any], holds: Callable[[Any], bool], wanted: str) -> None:
    for name, value in given.items():
        try:
            right = holds(value)
        except TypeError:  # a text, for example, which is not comparable
            right = False
        if not right:
            raise BadInput(f"{name} is {value!r}; give {wanted}")
