"""Errors in code of the user's own, told by its lines."""

import traceback

MARK = "__quickstudy_own__"
"""A name in every module that was made of a file of the user's own."""


def lines_of(error: BaseException) -> str:
    """The lines of the user's own files that were running when an error was raised, one below the
    other; nothing if none was."""
    return "".join(
        f"\n  {frame.f_code.co_filename}, line {line}, in {frame.f_code.co_qualname}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if MARK in frame.f_globals
    )


def told(error: BaseException) -> str | None:
    """An error that was raised in a file of the user's own: its lines there, and what it says.

    `None` if none of these files was running.
    """
    if not (lines := lines_of(error)):
        return None
    return f"an error in code of your own:{lines}\n{type(error).__name__}: {error}"
