"""A family of Gymnasium environments of one's own, with all that it may leave out."""

import inspect
from typing import Any

from quickstudy.envs.choices import short
from quickstudy.envs.task_list import TaskList
from quickstudy.errors import BadInput
from quickstudy.experiments.problem import Split
from quickstudy.experiments.problems.own_tasks import in_a_row, places
from quickstudy.experiments.settings import Own, made

PARTS = ("make", "set_task", "horizon")
"""What a family of Gymnasium environments has, and `sample_task` or `tasks`; `make` may take
`render_mode`."""
DRAWS = ("sample_task", "tasks")
"""Where its tasks come from: one of these."""


def demand_parts(family: Any, who: str) -> None:
    """Refuse what lacks a part of a family.

    Args:
        family: an object.
        who: the beginning of a sentence on it, for the message.

    Raises:
        BadInput: says what is missing, and what all of it is.

    Example:
        >>> demand_parts(None, "None is")
        Traceback (most recent call last):
        quickstudy.errors.BadInput: None is without make, set_task, horizon, sample_task or tasks...
    """
    missing = [part for part in PARTS if not hasattr(family, part)]
    if all(getattr(family, name, None) is None for name in DRAWS):
        missing.append("sample_task or tasks")
    if missing:
        raise BadInput(
            f"{who} without {', '.join(missing)}; give it make(), sample_task(rng) or a list of "
            "tasks, set_task(env, task) and horizon, the most steps of an episode"
        )


def listed_in(family: Any) -> Any:
    """The family's tasks where it lists them; `None` if it draws them."""
    drawn = getattr(family, "sample_task", None) is not None
    return None if drawn else getattr(family, "tasks", None)


class WholeFamily:
    """A family as training calls it: `make` takes a render mode, whether the user's does or not,
    and listed tasks are drawn by `sample_task`.

    Args:
        family: an object, or a class that is made without arguments.
        split: whose tasks are drawn, where they are listed.
        where: the family, for messages.

    Raises:
        BadInput: it lacks a part, or cannot be made; or `own_tasks.places` refuses its list.

    Example:
        >>> class Lever:
        ...     horizon, tasks = 5, {"train": [0.1, 0.2], "test": [0.3]}
        ...     def make(self):
        ...         return "an environment"
        ...     def set_task(self, env, task): ...
        >>> lever = WholeFamily(Lever, "test", "Lever")
        >>> lever.make("rgb_array"), lever.sample_task.tasks
        ('an environment', (0.3,))
    """

    def __init__(self, family: Any, split: Split, where: str) -> None:
        if isinstance(family, type):
            family = made(Own(where, family))
        demand_parts(family, f"{where} is {short(family)},")
        self.set_task, self.horizon, self._make = family.set_task, family.horizon, family.make
        if (listed := listed_in(family)) is None:
            self.sample_task = family.sample_task
        else:
            tasks, found = in_a_row(listed, where), places(listed, where)
            self.sample_task = TaskList([tasks[n] for n in found[split] or found["train"]])
        try:
            known = inspect.signature(self._make).parameters
        except (TypeError, ValueError):  # a class of an extension has none
            known = {}
        every = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
        self._renders = every or "render_mode" in known
        # What a family may have, and is asked for by `hasattr`.
        for name in {"make_vector", "set_tasks"} & set(dir(family)):
            setattr(self, name, getattr(family, name))

    def make(self, render_mode: str | None = None) -> Any:
        """One environment."""
        return self._make(render_mode=render_mode) if self._renders else self._make()
