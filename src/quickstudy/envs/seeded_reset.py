"""The reset with a seed, which comes before the first episode in a task."""

from collections.abc import Callable
from typing import Any

from quickstudy.errors import RAISED, QuickstudyError


class SeededReset:
    """Resets environments of one family with a seed. They may draw a task of their own there, so
    that theirs is set afterwards; of those that cannot be reset without one it is set before, too.

    Attributes:
        needs_task: whether the family was found to be such.

    Example:
        >>> calls = []
        >>> SeededReset()(lambda: calls.append("reset"), lambda: calls.append("set_task"))
        >>> calls
        ['reset']
    """

    needs_task = False

    def __call__(self, reset: Callable[[], Any], set_task: Callable[[], None]) -> None:
        """Reset one environment, or a vector of them.

        Args:
            reset: with the seed.
            set_task: puts it into its task.
        """
        if self.needs_task:
            set_task()
            reset()
            return
        try:
            reset()
        except RAISED as error:
            self._once_more(error, reset, set_task)

    def _once_more(
        self, error: BaseException, reset: Callable[[], Any], set_task: Callable[[], None]
    ) -> None:
        try:
            set_task()
        except QuickstudyError:
            raise
        except RAISED:
            # Many keep in `reset` what `set_task` writes to: the first failure tells more.
            raise error from None
        reset()
        # From now on, so that what a new environment draws does not depend on its failure, nor what
        # one draws that was used on the task before.
        self.needs_task = True
