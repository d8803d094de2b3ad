"""What every compiled environment must do, as a check of an environment of one's own."""

from collections.abc import Callable, Collection
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from quickstudy.envs.compiled_door import demand_declared
from quickstudy.envs.environment import Environment
from quickstudy.oracles.simple import Random
from quickstudy.rl.rollout import Rollout, rollout
from quickstudy.rl.trial import Trial
from quickstudy.testing.comparing import demand
from quickstudy.testing.properties import demand_properties

TASKS, TIMES = 16, 4  # an episode in each task, so many times


def check_environment(
    environment: Environment,
    *,
    except_for: Collection[str] = (),
    key: PRNGKeyArray | None = None,
) -> None:
    """Hold an environment of pure functions to everything that training relies on, by episodes of
    random actions.

    Args:
        environment: a family that is compiled.
        except_for: names of `ENVIRONMENT_PROPERTIES` that it does not promise: `tasks` where they
            differ too rarely for random actions to show it.
        key: decides tasks and actions.

    Raises:
        ConformanceError: names the first property that does not hold, and what to do.
        BadInput: `except_for` names no property; or its horizon, actions or shape are of another
            kind.

    Example:
        >>> import quickstudy as qs
        >>> check_environment(qs.Bandit(arms=3))
    """
    played = _Played(environment, jax.random.key(0) if key is None else key)
    name = type(environment).__name__
    demand_properties(name, ENVIRONMENT_PROPERTIES, played, except_for)


class _Played:
    """What random actions found, `[times, tasks, time]`; they are the same in every task."""

    def __init__(self, environment: Environment, key: PRNGKeyArray) -> None:
        self.environment, self.key = demand_declared(environment), key
        self.found: tuple[np.ndarray, ...] = ()

    def play(self) -> None:
        trial, actor = Trial(self.environment, 1), Random(self.environment)

        def one(task: Any, key: PRNGKeyArray) -> Rollout:
            return rollout(actor, trial, task, key)

        @eqx.filter_jit
        def all_of(key: PRNGKeyArray) -> tuple[Any, ...]:
            task_key, act_key = jax.random.split(key)
            tasks = jax.vmap(self.environment.sample)(jax.random.split(task_key, TASKS))
            side_by_side = jax.vmap(jax.vmap(one, (0, None)), (None, 0))
            path = side_by_side(tasks, jax.random.split(act_key, TIMES))
            return path.seen.observation, path.reward, path.done

        self.found = tuple(map(np.asarray, all_of(self.key)))


def _returned(played: _Played) -> None:
    """`sample`, `reset` and `step` can be compiled, and return what `Environment` says."""
    played.play()


def _finite(played: _Played) -> None:
    """Observations and rewards are finite numbers."""
    for name, values in zip(("observations", "rewards"), played.found, strict=False):
        bad = int((~np.isfinite(values)).sum())
        demand(bad == 0, f"{bad} of {values.size} numbers of the {name} are not")


def _tasks(played: _Played) -> None:
    """Tasks differ in what is seen or earned, with the same keys and the same actions."""
    demand(
        any((values != values[:, :1]).any() for values in played.found),
        f"{TASKS} tasks gave the same observations and rewards in {TIMES} episodes each. Either "
        "step and reset do not read the task, or sample draws one task alone; or tasks differ too "
        "rarely for random actions to show it: then leave 'tasks' out, by except_for",
    )


ENVIRONMENT_PROPERTIES: dict[str, Callable[[_Played], None]] = {
    "returned": _returned,
    "finite": _finite,
    "tasks": _tasks,
}
