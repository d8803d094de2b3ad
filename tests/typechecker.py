"""How strictly tests check annotations: an `int` is a `float`, as for every type checker."""

import inspect
from typing import Any, Self

from beartype import BeartypeConf, beartype

_check = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(thing):
    """Beartype, for which `Self` has no meaning outside a class that it checks as a whole."""
    if inspect.isfunction(thing):
        hints = thing.__annotations__.items()
        thing.__annotations__ = {n: Any if repr(Self) in repr(h) else h for n, h in hints}
    return _check(thing)
