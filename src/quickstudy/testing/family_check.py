"""What every family of Gymnasium environments must do, as a check of a family of one's own."""

import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from quickstudy.errors import demand_counts
from quickstudy.testing.comparing import demand
from quickstudy.testing.paths import apart, as_bytes, first_apart, told
from quickstudy.testing.played import PlayedFamily, PlayedVector
from quickstudy.testing.properties import demand_properties, names_in

STEPS = 50  # of an episode, at first
MORE_STEPS = 500  # where tasks cannot be told apart by then
PAIRS, FEWEST = 32, 8  # of tasks, of which some should differ
PATIENCE = 5.0  # seconds to look for a difference, after the fewest
ENDING = (
    "when the other copy's episode ends before; reset(options={'reset_mask': mask}) must leave the "
    "copies as they are that the mask leaves out"
)
CHANGED = "the environment changes the task that it is given: let set_task give it a copy"


def check_family(
    make: Callable[[], Any],
    sample_task: Callable[[np.random.Generator], Any],
    set_task: Callable[[Any, Any], None],
    horizon: int | None = None,
    *,
    copies: int = 2,
    except_for: Collection[str] = (),
    seed: int = 0,
) -> None:
    """Hold a family of Gymnasium environments to everything that training relies on.

    A few short episodes are played with random actions, as `HostEnvironment` plays them.

    Args:
        make: makes one `gymnasium.Env`.
        sample_task: M_i ~ p(M), from a NumPy generator.
        set_task: puts one environment into a task.
        horizon: the most steps of an episode; `None` leaves it to `make`.
        copies: 1 where no two environments can be open at a time: `copies` is then left out.
        except_for: names of `FAMILY_PROPERTIES` that the family does not promise: `tasks` and
            `reset` where tasks differ too late or too rarely for random actions to show it.
        seed: decides tasks and actions.

    Raises:
        ConformanceError: names the first property that does not hold, and what to do.
        BadInput: `except_for` names no property.

    Example:
        >>> import gymnasium  # doctest: +SKIP
        >>> def forget(env, length):
        ...     pass
        >>> check_family(  # doctest: +SKIP
        ...     lambda: gymnasium.make("CartPole-v1"), lambda rng: rng.uniform(), forget
        ... )
        Traceback (most recent call last):
        quickstudy.testing.properties.ConformanceError: the family breaks the property 'tasks'...
    """
    demand_counts(copies=copies, horizon=1 if horizon is None else horizon)
    family = PlayedFamily((make, sample_task, set_task), horizon, seed)
    left_out = names_in(except_for) | (set() if copies > 1 else {"copies"})
    try:
        demand_properties("the family", FAMILY_PROPERTIES, family, left_out)
    finally:
        family.abandon()


def check_vector(
    make_vector: Callable[[int], Any],
    sample_task: Callable[[np.random.Generator], Any],
    set_tasks: Callable[[Any, Any], None],
    horizon: int,
    *,
    except_for: Collection[str] = (),
    seed: int = 0,
) -> None:
    """Hold a family whose copies step together to everything that training relies on: what
    `check_family` demands of one environment, of each of two copies that exchange their tasks.

    Args:
        make_vector: makes one `gymnasium.vector.VectorEnv` of so many copies.
        sample_task: M_i ~ p(M), from a NumPy generator.
        set_tasks: puts all copies into their tasks.
        horizon: the most steps of an episode.
        except_for: see `check_family`.
        seed: decides tasks and actions.

    Raises:
        ConformanceError: names the first property that does not hold, and what to do.
        BadInput: `except_for` names no property.

    Example:
        >>> import gymnasium  # doctest: +SKIP
        >>> def forget(vector, lengths):
        ...     pass
        >>> def poles(copies):
        ...     modes = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}
        ...     return gymnasium.make_vec("CartPole-v1", copies, vector_kwargs=modes)
        >>> check_vector(poles, lambda rng: rng.uniform(), forget, 500)  # doctest: +SKIP
        Traceback (most recent call last):
        quickstudy.testing.properties.ConformanceError: the vector breaks the property 'tasks'...
    """
    demand_counts(horizon=horizon)
    vector = PlayedVector((make_vector, sample_task, set_tasks), horizon, seed)
    try:
        demand_properties("the vector", FAMILY_PROPERTIES, vector, except_for)
    finally:
        vector.abandon()


def _returned(family: PlayedFamily) -> None:
    """`make`, `set_task`, `reset` and `step` give what Gymnasium's give, within their spaces."""
    tasks = family.tasks()
    family.before = as_bytes(tasks)
    family.first = family.play(tasks, STEPS)
    family.after = as_bytes(tasks)
    for path in family.first:
        family.demand_bounds(path)


def _closing(family: PlayedFamily) -> None:
    """An environment can be closed."""
    family.close()


def _seeds(family: PlayedFamily) -> None:
    """The same seed draws the same task, and with the same actions the same episodes."""
    family.close()
    again = family.play(family.tasks(), STEPS)
    if not (difference := first_apart(family.first, again)):
        return
    drawn = told(family.task(0)), told(family.task(0))
    if drawn[0] != drawn[1] and " at 0x" not in drawn[0]:
        why = (
            f"sample_task drew {drawn[0]} and then {drawn[1]} from the same generator: let it draw "
            "everything from the rng that it is given"
        )
    elif family.before != family.after:
        why = CHANGED
    else:
        why = (
            "let the environment draw everything from self.np_random, which "
            "super().reset(seed=seed) makes, and not from random or numpy.random"
        )
    raise AssertionError(f"{difference}; {why}")


def _used(family: PlayedFamily) -> None:
    """An environment that was used is as a new one, and a task that was played as it was drawn."""
    tasks = family.tasks()
    for _ in range(2):
        if difference := first_apart(family.first, family.play(tasks, STEPS)):
            why = "let reset() undo all that an episode has changed"
            if family.before != family.after:
                why = CHANGED
            elif name := family.normalizes():
                why = (
                    f"leave out the wrapper {name}, whose averages no reset begins anew: policies "
                    "have their own, by --scale running"
                )
            raise AssertionError(f"{difference}; {why}")


def _tasks(family: PlayedFamily) -> None:
    """Tasks differ in what is seen or earned, with the same seed and the same actions."""
    tried, length = 0, 0
    for length in sorted({family.steps(STEPS), family.steps(MORE_STEPS)}):
        until = time.monotonic() + PATIENCE
        for number in range(PAIRS):
            pairs = family.pairs(number, length)
            tried += 1
            for episode in (0, 1):
                parts = [(one.episode(episode), other.episode(episode)) for one, other in pairs]
                if all(apart(*both, exactly=True) for both in parts):
                    family.differ[episode] = family.differ[episode] or (number, length)
            if all(family.differ) or (number >= FEWEST and time.monotonic() > until):
                break
        if any(family.differ):
            return
    drawn = [family.task(number) for number in range(PAIRS)]
    demand(
        len({as_bytes(task) for task in drawn} - {None}) != 1,
        f"sample_task draws one task alone, {told(drawn[0])}: let it draw different ones from the "
        "rng that it is given",
    )
    some = ", ".join(told(task) for task in drawn[:3])
    raise AssertionError(
        f"{tried} pairs of tasks ({some} ...) gave the same observations and rewards in episodes "
        f"of {length} steps. Either {family.writes}. Or reset() draws a task anew: it must keep "
        "the one that was set. Or tasks differ too late or too rarely for random actions to show "
        "it: then leave 'tasks' and 'reset' out, by except_for"
    )


def _reset(family: PlayedFamily) -> None:
    """A task survives `reset()`: it is the same in the second episode as in the first."""
    first, later = family.differ
    demand(
        not first or later,
        "tasks differ in the first episode, and never in the second: reset() draws a task anew, or "
        "what set_task set is lost when an episode ends",
    )


def _copies(family: PlayedFamily) -> None:
    """Environments side by side do not share their tasks, nor what they draw."""
    number, length = family.differ[0] or family.differ[1] or (0, STEPS)
    for alone, beside in family.beside(number, length):
        if difference := apart(alone, beside):
            raise AssertionError(f"{difference} {family.shares}")
    for alone, ended in family.ending(number, length):
        if difference := apart(alone, ended):
            raise AssertionError(f"{difference} {ENDING}")


FAMILY_PROPERTIES: dict[str, Callable[[PlayedFamily], None]] = {
    "returned": _returned,
    "closing": _closing,
    "seeds": _seeds,
    "used": _used,
    "tasks": _tasks,
    "reset": _reset,
    "copies": _copies,
}
