"""Properties that something of one's own must have, by name."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from quickstudy.errors import RAISED, BadInput, said_by


class ConformanceError(AssertionError):
    """A learner, or a family of environments, breaks a promise; the message says which.

    Attributes:
        broken: the name of the property.
    """

    def __init__(self, message: str, broken: str) -> None:
        super().__init__(message)
        self.broken = broken


def names_in(except_for: Collection[str]) -> set[str]:
    """The names of properties that are left out.

    Raises:
        BadInput: they are one text, which would be taken letter by letter.

    Example:
        >>> names_in("tasks")
        Traceback (most recent call last):
        quickstudy.errors.BadInput: except_for is 'tasks'; give several names, as ('tasks',)
    """
    if isinstance(except_for, str):
        raise BadInput(f"except_for is {except_for!r}; give several names, as ({except_for!r},)")
    return set(except_for)


def demand_properties(
    who: str,
    properties: Mapping[str, Callable[[Any], None]],
    subject: Any,
    except_for: Collection[str],
) -> None:
    """Demand all properties, one after the other.

    Args:
        who: what has them, for messages.
        properties: raise an error where they do not hold; their first lines say what they are.
        subject: what they are asked of.
        except_for: names of those that are left out.

    Raises:
        ConformanceError: names the first property that does not hold, and why.
        BadInput: `except_for` names no property.

    Example:
        >>> def positive(x):
        ...     "It is above 0."
        ...     assert x > 0, "it is not"
        >>> demand_properties("x", {"positive": positive}, -1, ())
        Traceback (most recent call last):
        quickstudy.testing.properties.ConformanceError: x breaks the property 'positive' (It...
    """
    left_out = names_in(except_for)
    if unknown := left_out - properties.keys():
        raise BadInput(f"{sorted(unknown)} are no properties; choose from {list(properties)}")
    for name, holds in properties.items():
        if name in left_out:
            continue
        try:
            holds(subject)
        except RAISED as error:
            why = str(error) if isinstance(error, AssertionError) else said_by(error)
            meaning = " ".join((holds.__doc__ or "").split())
            said = f"{who} breaks the property {name!r} ({meaning}) {why}"
            raise ConformanceError(said, name) from error
