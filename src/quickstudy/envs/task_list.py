"""Tasks that are listed, in place of a distribution."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from quickstudy.envs.arriving import own_copy
from quickstudy.errors import BadInput


class TaskList:
    """p(M) over listed tasks, as a `sample_task`: trials meet all of them equally often.

    Attributes:
        tasks: M_1 … M_n.

    Raises:
        BadInput: there is none.

    Example:
        >>> lengths = TaskList([0.25, 0.5, 1.0])
        >>> sorted(lengths.numbered(seed=0, number=n) for n in range(6))
        [0.25, 0.25, 0.5, 0.5, 1.0, 1.0]
    """

    def __init__(self, tasks: Sequence[Any] | np.ndarray) -> None:
        if not len(tasks):
            raise BadInput("there is no task in the list; give at least one")
        self.tasks = tuple(tasks)

    def __call__(self, rng: np.random.Generator) -> Any:
        """Any of them, equally likely."""
        return own_copy(self.tasks[rng.integers(len(self.tasks))])

    def numbered(self, seed: int, number: int) -> Any:
        """The task of that number among all that the seed decides: the list again and again, each
        time in another order."""
        again, place = divmod(number, len(self.tasks))
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(again,)))
        return own_copy(self.tasks[rng.permutation(len(self.tasks))[place]])
