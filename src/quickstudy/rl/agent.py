"""A policy in a loop of your own: it is told what happened, and says what to do."""

import copy
from numbers import Integral
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.envs.door import one_flag, one_reward
from quickstudy.envs.environment import Action, Actions, demand_numbers
from quickstudy.envs.interface import Interface
from quickstudy.errors import BadInput
from quickstudy.rl.greedy import Greedy
from quickstudy.rl.prepared import prepared
from quickstudy.rl.trial import Seen

_MADE_ANEW = {"__weakref__", "_step"}


class Agent:
    """A policy that acts step by step, in any environment like those that it was trained in.

    What it has seen, done and earned in a task it remembers from episode to episode. It acts as
    `host_rollouts` does in training and tests, one compiled call a step.

    Args:
        policy: what acts.
        interface: what it acts in.
        greedy: always take the likeliest action, in place of drawing one; may be set later, too.
        seed: decides what is drawn.

    Raises:
        BadInput: a policy that does not know what it acts in, a call that is out of order, an
            observation of another shape, or numbers that are not finite.

    Example:
        >>> import quickstudy as qs
        >>> trial = qs.Trial(qs.GridNavi(), episodes=2)
        >>> memory = qs.GRU.create(trial.inputs, 8, key=jax.random.key(0))
        >>> env = qs.as_gymnasium(trial.environment)  # doctest: +SKIP
        >>> agent = qs.MetaPolicy.create(trial, memory).agent(greedy=True)
        >>> observation, _ = env.reset(seed=0)  # doctest: +SKIP
        >>> action = agent.reset(observation)  # doctest: +SKIP
        >>> while action is not None:  # doctest: +SKIP
        ...     observation, reward, terminated, truncated, _ = env.step(action)
        ...     action = agent.act(observation, reward, terminated, truncated)
    """

    # So that what is set by a wrong name is an error.
    __slots__ = (
        "__weakref__",
        "_acting",
        "_greedy",
        "_key",
        "_last",
        "_memory",
        "_policy",
        "_step",
        "_time",
        "_told",
        "_trial",
        "interface",
    )

    def __init__(
        self,
        policy: Any,
        interface: Interface | None,
        *,
        greedy: bool = False,
        seed: int | np.integer = 0,
    ) -> None:
        if interface is None:
            raise BadInput(
                "this policy does not say what it acts in; make it with create, or give "
                "Interface.of(environment) to Agent"
            )
        if not isinstance(seed, Integral) or isinstance(seed, bool) or not 0 <= seed < 2**32:
            raise BadInput(f"seed is {seed!r}; give a whole number of 0 or more, below 2**32")
        self.interface = interface
        # The whole mesh would do the same work on each of its devices.
        arrays, rest = eqx.partition(policy, eqx.is_array)
        self._key, arrays = jax.device_put((jax.random.key(int(seed)), arrays), jax.devices()[0])
        self._policy, self._greedy = eqx.combine(arrays, rest), _flag(greedy)
        self._trial, self._time = -1, 0
        self._prepare()
        self.new_task()

    @property
    def greedy(self) -> bool:
        """Whether it takes the likeliest action."""
        return self._greedy

    @greedy.setter
    def greedy(self, value: Any) -> None:
        self._greedy = _flag(value)
        self._prepare()

    def __copy__(self) -> Self:
        """With a memory of its own: each step overwrites that of the one before."""
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """All but what is compiled; a key as its numbers, for keys cannot be pickled."""
        names = [name for kind in type(self).__mro__ for name in getattr(kind, "__slots__", ())]
        kept = {name: getattr(self, name) for name in names if name not in _MADE_ANEW}
        return {**kept, "_key": np.asarray(jax.random.key_data(self._key))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        key = jax.random.wrap_key_data(jnp.asarray(state["_key"]))
        self._key = jax.device_put(key, jax.devices()[0])
        self._prepare()

    def new_task(self) -> None:
        """Forget everything: what comes next is another task."""
        begun = self._time > 0 or self._trial < 0
        self._trial, self._time = self._trial + begun, 0
        nothing = (self._policy.begin(None), jnp.zeros(self.interface.actions.size))
        # Copies, for each step overwrites the memory of the one before.
        self._memory = jax.tree.map(jnp.array, nothing)
        self._acting, self._told = False, (0.0, 0.0, 1.0)
        self._last: tuple[Any, Any] = (None, None)

    def reset(self, observation: Any) -> Any:
        """Begin an episode, of the same task unless `new_task` was called.

        Args:
            observation: what the environment's `reset` returned.

        Returns:
            an action for the environment's `step`.
        """
        if self._acting:
            raise BadInput(
                "an episode is still going on; end it with act(observation, reward, terminated, "
                "truncated), truncated=True if you cut it short, or begin with new_task()"
            )
        return self._chosen(self.interface.see(observation))

    def act(self, observation: Any, reward: Any, terminated: Any, truncated: Any) -> Any:
        """Go on, or end the episode.

        Args:
            observation, reward, terminated, truncated: what the environment's `step` returned.

        Returns:
            an action for its next `step`; `None` where the episode is over, for `reset` to follow.
        """
        if not self._acting:
            raise BadInput("no episode is going on; begin one with reset(observation)")
        seen, paid = self.interface.see(observation), one_reward(reward)
        over = one_flag(terminated, "terminated") | one_flag(truncated, "truncated")
        self._told = (paid, float(over), 0.0)
        if not over:
            return self._chosen(seen)
        self._acting = False
        return None

    def _prepare(self) -> None:
        """What is compiled, for the policy as it is now."""
        actor = Greedy(self._policy) if self._greedy else self._policy
        kind = self.interface.actions
        self._step = prepared(_step, actor, kind, self._key, donated=(0,))

    def _chosen(self, seen: np.ndarray) -> Any:
        told = np.asarray(self._told, np.float32)
        now = np.asarray((self._trial, self._time), np.int32)
        self._memory, action = self._step(self._memory, seen, told, now)
        demand_numbers(action := np.asarray(action))
        self._time, self._acting = self._time + 1, True
        self._last = (seen, action)
        return self.interface.act(action)


def _flag(greedy: Any) -> bool:
    if not isinstance(greedy, bool | np.bool_):
        raise BadInput(f"greedy is {greedy!r}; give True or False")
    return bool(greedy)


def _step(
    actor: Any,
    kind: Actions,
    key: PRNGKeyArray,
    memory: tuple[Any, Any],
    observation: Float[Array, "..."],
    told: Float[Array, "3"],
    now: Int[Array, "2"],
) -> tuple[tuple[Any, Any], Action]:
    """What to do, drawn by the number of the trial and the time in it."""
    state, action_tm1 = memory
    key = jax.random.fold_in(jax.random.fold_in(key, now[0]), now[1])
    seen = Seen(observation, action_tm1, *told)
    state, action, _ = actor.act(state, seen, key=key)
    return (state, kind.encode(action)), action
