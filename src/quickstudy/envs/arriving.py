"""Whether a task that is set arrives in the environment, and stays one's own."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.errors import BadInput

UNCHANGING = frozenset({bool, int, float, complex, str, bytes, type(None), object})


def put(environment: Any, task: Any, set_task: Callable[[Any, Any], None]) -> None:
    """`set_task(environment, task)`, with a copy of the task.

    Args:
        environment: a `gymnasium.Env`, or a `gymnasium.vector.VectorEnv`, wrapped or not.
        task: M_i; of a vector one for each copy.
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
            raise BadInput(_lost_in(wrapper, lost[0]))
    if returned is None or not isinstance(returned, import_gymnasium().Env):
        return
    if returned is not environment.unwrapped and returned not in [w for w, _ in before]:
        raise BadInput(
            f"set_task returned {returned}, another environment, which nobody steps; let it "
            "change the one that it is given"
        )


def wrappers(environment: Any) -> Iterator[Any]:
    """The wrappers around an environment, from the outermost inwards. A vector that Gymnasium has
    made of environments is around these, as far as they are in this process."""
    gymnasium = import_gymnasium()
    kinds = (gymnasium.Wrapper, gymnasium.vector.VectorWrapper)
    while isinstance(environment, kinds):
        yield environment
        environment = environment.env
    if isinstance(environment, gymnasium.vector.VectorEnv) and _of_gymnasium(environment):
        yield environment
        for one in getattr(environment, "envs", ()):
            yield from wrappers(one)


def own_copy(task: Any) -> Any:
    """A copy of a task, so that an environment that changes what it was given does not change the
    task. What cannot be copied, such as a lock or a module, is the same in it; an object that is
    known by what it is, not by what it holds, may say so by a `__deepcopy__` that returns itself.

    Example:
        >>> task = {"goal": [0.0, 1.0]}
        >>> own_copy(task)["goal"] is task["goal"]
        False
    """
    kind = type(task)
    # What most tasks are made of, and cannot be changed, or is copied at once.
    if kind in UNCHANGING or isinstance(task, np.generic):
        return task
    if kind is np.ndarray and not task.dtype.hasobject:
        return task.copy()
    if kind is dict:
        return {name: own_copy(value) for name, value in task.items()}
    if kind in (list, tuple):
        return kind(own_copy(value) for value in task)
    try:
        return copy.deepcopy(task)
    except Exception:  # whatever its own classes say
        return task


def _lost(wrapper: Any, name: str) -> bool:
    """Whether nobody reads what was written: a wrapper of Gymnasium's own does not, and one of the
    user's is meant to if there is no such attribute further in."""
    if hasattr(type(wrapper), name):
        return False
    return _of_gymnasium(wrapper) or hasattr(wrapper.unwrapped, name)


def _lost_in(wrapper: Any, name: str) -> str:
    kind = type(wrapper).__name__
    if isinstance(wrapper, import_gymnasium().vector.VectorEnv):
        return (
            f"set_task wrote the attribute {name!r} to the vector {kind}, where no environment "
            f"reads it; call vector.unwrapped.set_attr({name!r}, values), with one for each copy"
        )
    return (
        f"set_task wrote the attribute {name!r} to the wrapper {kind}, where the environment does "
        f"not read it; write env.unwrapped.{name}, or define {name} in the class of a wrapper of "
        "your own that reads it"
    )


def _of_gymnasium(wrapper: Any) -> bool:
    return type(wrapper).__module__.startswith("gymnasium.")
