"""Errors that say what was given, what was expected, and what to do."""


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
