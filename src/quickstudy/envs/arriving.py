"""Whether a task that is set arrives in the environment, and stays one's own."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.errors import BadInput


def put(environment: Any, task: Any, set_task: Callable[[Any, Any], None]) -> None:
    """`set_task(environment, task)`, with a copy of the task where it is made of plain values.

    Args:
        environment: a `gymnasium.Env`, wrapped or not.
        task: M_i.
        set_task: puts the environment into it, by a change in place.

    Raises:
        BadInput: `set_task` wrote an attribute to a wrapper, where the environment does not read
            it, or returned another environment.

    Example:
        >>> import gymnasium  # doctest: +SKIP
        >>> def lengthen(env, length):
        ...     env.length = length
        >>> put(gymnasium.make("CartPole-v1"), 0.3, lengthen)  # doctest: +SKIP
        Traceback (most recent call last):
        quickstudy.errors.BadInput: set_task wrote the attribute 'length' to the wrapper ...
    """
    before = [(wrapper, set(vars(wrapper))) for wrapper in wrappers(environment)]
    returned = set_task(environment, own_copy(task))
    for wrapper, known in before:
        if lost := [name for name in vars(wrapper) if name not in known and _lost(wrapper, name)]:
            raise BadInput(
                f"set_task wrote the attribute {lost[0]!r} to the wrapper "
                f"{type(wrapper).__name__}, where the environment does not read it; write "
                f"env.unwrapped.{lost[0]}, or define {lost[0]} in the class of a wrapper of your "
                "own that reads it"
            )
    if returned is None or not isinstance(returned, import_gymnasium().Env):
        return
    if returned is not environment.unwrapped and returned not in [w for w, _ in before]:
        raise BadInput(
            f"set_task returned {returned}, another environment, which nobody steps; let it "
            "change the one that it is given"
        )


def wrappers(environment: Any) -> Iterator[Any]:
    """The wrappers around an environment, from the outermost inwards."""
    kind = import_gymnasium().Wrapper
    while isinstance(environment, kind):
        yield environment
        environment = environment.env


def own_copy(task: Any) -> Any:
    """A task whose arrays, lists and dicts are copies, so that an environment that changes what it
    was given does not change the task; any other object in it is the same.

    Example:
        >>> task = {"goal": [0.0, 1.0]}
        >>> own_copy(task)["goal"] is task["goal"]
        False
    """
    kind = type(task)
    if kind is np.ndarray:
        return task.copy()
    if kind is dict:
        return {name: own_copy(value) for name, value in task.items()}
    if kind in (list, tuple):
        return kind(own_copy(value) for value in task)
    return task


def _lost(wrapper: Any, name: str) -> bool:
    """Whether nobody reads what was written: a wrapper of Gymnasium's own does not, and one of the
    user's is meant to if there is no such attribute further in."""
    kind = type(wrapper)
    if hasattr(kind, name):
        return False
    return kind.__module__.startswith("gymnasium.") or hasattr(wrapper.unwrapped, name)
