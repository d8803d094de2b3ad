"""Adapting policies to tasks in environments that are stepped on the host."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from quickstudy.envs.host import Host
from quickstudy.envs.host_family import HostFamily
from quickstudy.errors import BadInput
from quickstudy.mesh import each
from quickstudy.rl.adaptation import Adaptation, Trajectories
from quickstudy.rl.greedy import Acts, choose
from quickstudy.rl.prepared import prepared
from quickstudy.rl.reactive import Reactive
from quickstudy.rl.scale import Scale


class Returned(NamedTuple):
    """How the trajectories that adaptations return are acted.

    Attributes:
        acts: drawn, as those that updates are estimated from; or greedily, in K episodes more of
            every policy.
        through: a host that wraps the family's, to note what it steps in these.
    """

    acts: Acts = "drawn"
    through: Host | None = None


def host_adaptations(
    policy: Reactive,
    adaptation: Adaptation,
    updates: int,
    key: PRNGKeyArray,
    tasks: int,
    *,
    first: int = 0,
    returned: Returned | None = None,
) -> tuple[Trajectories, Trajectories]:
    """`Adaptation.run` in many tasks, as many side by side as the host has copies for.

    All K trajectories of all those tasks are acted at once. A task is met again after each update,
    with everything else in it drawn anew.

    Args:
        policy: π_θ.
        adaptation: f_adapt, in a `HostFamily` whose host has K copies for each of some tasks.
        updates: inner steps, as many as in training or more.
        key: consumed; the same key gives the same tasks to every policy, and those of
            `host_rollouts`, for any number of copies.
        tasks: how many.
        first: the number of the first of them.
        returned: how the trajectories that are returned are acted; as those that updates are
            estimated from by default.

    Returns:
        the trajectories before each update, `[tasks, updates, K, time]`, and those after the last,
        `[tasks, K, time]`: NumPy arrays.

    Raises:
        BadInput: the family is not stepped on the host, or copies are no multiple of K.
        QuickstudyError: an environment failed; the message names copy, task and seed.

    Example:
        >>> adaptation = Adaptation(  # doctest: +SKIP
        ...     HostFamily(poles), qs.Rate(0.5), qs.LVC(), trajectories=4
        ... )
        >>> sets, after = host_adaptations(  # doctest: +SKIP
        ...     policy, adaptation, 1, jax.random.key(0), tasks=3
        ... )
        >>> sets.reward.shape, after.reward.shape  # doctest: +SKIP
        ((3, 1, 4, 200), (3, 4, 200))
    """
    acts, through = returned or Returned()
    host = through or _host(adaptation)
    at_once = _host(adaptation).copies // adaptation.trajectories
    seed_key, act_key = jax.random.split(key)
    # Environments on the host are seeded by a number, not by a key.
    seed = int(jax.random.bits(seed_key))
    # The whole mesh would do the same work on each of its devices.
    arrays, rest = eqx.partition((policy, adaptation, act_key), eqx.is_array)
    policy, adaptation, act_key = eqx.combine(jax.device_put(arrays, jax.devices()[0]), rest)
    found = []
    for start in range(first, first + tasks, at_once):
        adapting = _Adapting(policy, adaptation, act_key, (seed, start))
        found.append(adapting.through(updates, first + tasks - start, host, acts))
    all_of = jax.tree.map(lambda *xs: np.concatenate(xs)[:tasks], *found)
    return jax.tree.map(lambda x: x[:, :-1], all_of), jax.tree.map(lambda x: x[:, -1], all_of)


class _Adapting:
    """Policies that adapt side by side, each in a task of its own."""

    def __init__(
        self,
        policy: Reactive,
        adaptation: Adaptation,
        key: PRNGKeyArray,
        drawn: tuple[int, int],
    ) -> None:
        self.adaptation, self.key, (self.seed, first) = adaptation, key, drawn
        self.k = adaptation.trajectories
        self.tasks = _host(adaptation).copies // self.k
        self.first = first * self.k  # the number of the first copy
        theta, self.rest = eqx.partition(policy, eqx.is_inexact_array)
        start = adaptation.start(theta)
        self.theta, self.state = jax.tree.map(
            lambda x: jnp.broadcast_to(x, (self.tasks, *jnp.shape(x))), start
        )

    def through(self, updates: int, wanted: int, host: Host, acts: Acts) -> Trajectories:
        """What was done before and after each update, `[tasks, updates + 1, K, time]`, until the
        first `wanted` tasks have their trajectories."""
        learning = host if acts == "drawn" else _host(self.adaptation)
        stages, thetas = [], [self.theta]
        for number in range(updates):
            stages.append(self._collect(thetas[-1], number, wanted, learning))
            # An array for the number: of a Python integer `filter_jit` would compile each step
            # anew.
            theta, self.state = _moved(
                (thetas[-1], self.state), self.rest, self.adaptation, stages[-1], np.int32(number)
            )
            thetas.append(theta)
        # What each policy adapted on stands for what it earns, if it was acted in the same way.
        known = stages if acts == "drawn" else []
        rest = list(enumerate(thetas))[len(known) :]
        known += [self._collect(theta, n, wanted, host, acts) for n, theta in rest]
        return jax.tree.map(lambda *xs: np.stack(xs, 1), *known)

    def _collect(
        self, theta: PyTree, visit: int, wanted: int, host: Host, acts: Acts = "drawn"
    ) -> Trajectories:
        """One episode in every copy, `[tasks, K, time]`."""
        observation: Any = host.begin(self.seed, self.first, self.k, visit)
        going: Any = np.ones(host.copies, bool)
        path: list[Trajectories] = []
        horizon, act = self.adaptation.environment.horizon, self._acting(theta, visit, acts)
        for time in range(horizon):
            action, log_prob = act(observation, time)
            after: Any = host.step(action)
            # The host begins the next episode by itself; it is no part of this trajectory.
            paid: Any = np.where(going, after.reward, np.float32(0))
            path.append(Trajectories(observation, action, paid, log_prob, going))
            observation, going = after.observation, going & ~after.done
            if not going[: wanted * self.k].any():
                break
        # What follows the last end counts for nothing.
        nothing = path[-1]._replace(reward=0 * path[-1].reward, real=going)
        path += [nothing] * (horizon - len(path))
        stacked = jax.tree.map(lambda *xs: np.stack(xs, 1), *path)
        return jax.tree.map(self._by_task, stacked)

    def _acting(self, theta: PyTree, visit: int, acts: Acts) -> Callable[[Any, int], Any]:
        """What all copies do, and log π of it, from what they see and the time."""
        numbers = np.arange(self.first, self.first + self.tasks * self.k)
        policies, visit_key = (theta, self.rest), jax.random.fold_in(self.key, visit)
        scale = self.adaptation.scale
        chosen = prepared(_chosen, acts, policies, scale, visit_key, self._by_task(numbers))

        def act(observation: Any, time: int) -> Any:
            found = chosen(self._by_task(observation), np.int32(time))
            return [np.asarray(x).reshape(-1, *x.shape[2:]) for x in found]

        return act

    def _by_task(self, x: np.ndarray) -> np.ndarray:
        """`[copies, ...]` to `[tasks, K, ...]`."""
        return x.reshape(self.tasks, self.k, *x.shape[1:])


def _chosen(
    acts: Acts,
    policies: tuple[PyTree, PyTree],
    scale: Scale,
    key: PRNGKeyArray,
    numbers: Int[Array, "tasks k"],
    seen: Float[Array, "tasks k ..."],
    time: Int[Array, ""],
) -> tuple[Any, Any]:
    """Actions, and log π of them; each is drawn by its number and by the time."""
    theta, rest = policies
    key = jax.random.fold_in(key, time)

    def one(theta: PyTree, seen: Any, numbers: Any) -> tuple[Any, Any]:
        actions = eqx.combine(theta, rest).actions(scale.see(seen))

        def draw(of_one: Any, number: Any) -> tuple[Any, Any]:
            action = choose(of_one, acts, jax.random.fold_in(key, number))
            return action, of_one.log_prob(action)

        return jax.vmap(draw)(actions, numbers)

    return jax.vmap(one)(theta, seen, numbers)


@eqx.filter_jit
def _moved(
    carry: PyTree, rest: PyTree, adaptation: Adaptation, paths: Trajectories, number: Any
) -> PyTree:
    """θ and the rule's state of every task after an inner step on what was done there."""

    def one(now: Any) -> Any:
        (theta, state), paths = now
        paths = adaptation.read(paths)
        policy, state = adaptation.step(eqx.combine(theta, rest), state, paths, number)
        return eqx.filter(policy, eqx.is_inexact_array), state

    return each(one, (carry, paths))


def _host(adaptation: Adaptation) -> Host:
    family, k = adaptation.environment, adaptation.trajectories
    if not isinstance(family, HostFamily):
        raise BadInput("this family is compiled; adapt in it with Adaptation.run")
    if family.host.copies % k:
        raise BadInput(
            f"the host has {family.host.copies} copies, which do not share out to tasks of {k} "
            f"trajectories; give it a multiple of {k} copies"
        )
    return family.host
