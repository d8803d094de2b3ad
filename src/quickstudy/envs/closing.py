"""Environments that are closed together."""

import contextlib
from typing import Any


def close_all(environments: list[Any]) -> None:
    """Close all of them, also where one fails to, and empty the list.

    Example:
        >>> close_all(opened := [])
        >>> opened
        []
    """
    with contextlib.ExitStack() as closing:
        for environment in environments:
            closing.callback(environment.close)
        environments.clear()
