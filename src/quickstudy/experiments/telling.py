"""Errors in code of the user's own, told by its lines."""

import traceback

MARK = "__quickstudy_own__"
"""A name in every module that was made of a file of the user's own."""


def told(error: BaseException) -> str | None:
    """An error that was raised in a file of the user's own: its lines there, and what it says.

    `None` if none of these files was running.
    """
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [(frame, line) for frame, line in frames if MARK in frame.f_globals]
    if not own:
        return None
    lines = "".join(
        f"  {frame.f_code.co_filename}, line {line}, in {frame.f_code.co_qualname}\n"
        for frame, line in own
    )
    return f"an error in code of your own:\n{lines}{type(error).__name__}: {error}"
