"""An agent that adapts by gradients, on trajectories that it acted itself or is given."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float32

from quickstudy.envs.door import one_reward
from quickstudy.errors import BadInput
from quickstudy.rl.adaptation import Adaptation, Trajectories, path_log_probs
from quickstudy.rl.agent import Agent
from quickstudy.rl.reactive import Reactive


class Recorded(NamedTuple):
    """An episode that an agent acted, in the policy's arrays.

    Attributes:
        seen: `[time, ...]`.
        done: `[time, ...]`, as drawn: not clipped to what the environment takes.
        paid: `[time]`.
        greedy: whether an action was the likeliest, and not drawn.
    """

    seen: np.ndarray
    done: np.ndarray
    paid: Float32[np.ndarray, " time"]
    greedy: bool


class AdaptingAgent(Agent):
    """The meta-policy of MAML for RL in a loop of your own. It acts, records, and adapts.

    Attributes:
        recorded: the episodes that were acted since the last update or task.
        greedy: whether it takes the likeliest action from now on. What is to be adapted on must be
            drawn, so set it to True after the last update.
        updates: how often it has adapted in this task.

    Example:
        >>> import quickstudy as qs
        >>> family = qs.Navigation()
        >>> policy = qs.Reactive.create(family, (8,), key=jax.random.key(0))
        >>> agent = AdaptingAgent(policy, qs.Adaptation(family, qs.Rate(0.1), qs.LVC()))
        >>> for _ in range(2):
        ...     action = agent.reset([0.0, 0.0])
        ...     action = agent.act([0.1, 0.0], -1.0, False, False)
        ...     assert agent.act(action, -0.9, True, False) is None
        >>> agent.adapt(agent.recorded)
        >>> agent.updates, len(agent.recorded)
        (1, 0)
    """

    __slots__ = ("_adaptation", "_now", "_path", "_rest", "_theta", "recorded", "updates")

    def __init__(
        self,
        policy: Reactive,
        adaptation: Adaptation,
        *,
        greedy: bool = False,
        seed: int | np.integer = 0,
    ) -> None:
        self._adaptation, self._theta = adaptation, policy
        self.recorded: list[Recorded] = []
        self.updates = 0
        super().__init__(adaptation.scale.worn(policy), policy.interface, greedy=greedy, seed=seed)

    def new_task(self) -> None:
        """Return to the meta-policy, and forget what was recorded."""
        super().new_task()
        self.recorded, self.updates = [], 0
        self._path: list[tuple[Any, ...]] = []
        start, self._rest = eqx.partition(self._theta, eqx.is_inexact_array)
        self._now = self._adaptation.start(start)
        self._become(self._now[0])

    def act(self, observation: Any, reward: Any, terminated: Any, truncated: Any) -> Any:
        """As `Agent.act`; an episode that is over is recorded."""
        before = self._last
        action = super().act(observation, reward, terminated, truncated)
        self._path.append((*before, np.float32(self._told[0]), self._greedy))
        if action is None:
            seen, done, paid, greedy = map(list, zip(*self._path, strict=True))
            rows = Recorded(np.stack(seen), np.stack(done), np.array(paid), any(greedy))
            self.recorded.append(rows)
            self._path = []
        return action

    def adapt(self, trajectories: Sequence[Any]) -> None:
        """One update, θ_{j+1} = move(θ_j, ∇J_j), on so many episodes of the policy as it is now.

        Args:
            trajectories: of `recorded`; or (observations, actions, rewards) of one episode each, in
                the environment's own terms: one action and one reward for each observation but
                perhaps a last one.

        Raises:
            BadInput: none, or an episode that is going on, was acted greedily, is longer than in
                training, or has parts that are not as long as each other; or the update is not
                finite, and the policy stays as it is.
        """
        if self._acting:
            raise BadInput("an episode is still going on; end it before adapt()")
        if not isinstance(trajectories, Sequence):
            raise BadInput(
                f"trajectories are {type(trajectories).__name__}; give a list of episodes, such as "
                "agent.recorded"
            )
        if len(trajectories) == 0:
            raise BadInput("there are no trajectories to adapt on; act some episodes first")
        rows = [self._row(one) for one in trajectories]
        seen, done, paid, real = (jnp.stack(part) for part in zip(*rows, strict=True))
        # How likely each action was is told by the policy, below.
        paths = Trajectories(seen, done, paid, jnp.zeros_like(paid), real)
        made = _updated(self._now, self._rest, self._adaptation, paths, np.int32(self.updates))
        if not all(np.isfinite(array).all() for array in jax.tree.leaves(made[0])):
            raise BadInput(
                "the update is infinite or not-a-number, so the policy stays as it was; its inner "
                "learning rate is too high for these trajectories"
            )
        self._now = made
        self._become(self._now[0])
        self.updates, self.recorded = self.updates + 1, []

    def _become(self, theta: Any) -> None:
        policy = eqx.combine(theta, self._rest)
        arrays, rest = eqx.partition(self._adaptation.scale.worn(policy), eqx.is_array)
        self._policy = eqx.combine(jax.device_put(arrays, jax.devices()[0]), rest)
        self._prepare()

    def _row(self, one: Any) -> tuple[np.ndarray, ...]:
        """Observations, actions, rewards, and which are real, as long as the longest episode."""
        recorded = self._own(one) if isinstance(one, Recorded) else self._read(one)
        seen, done, paid, greedy = recorded
        horizon = self._adaptation.environment.horizon
        if greedy:
            raise BadInput(
                "an episode was acted greedily, and says nothing of other actions; record episodes "
                "with greedy=False"
            )
        if not 1 <= len(paid) <= horizon:
            raise BadInput(f"an episode has {len(paid)} steps; in training they had 1 to {horizon}")
        real = np.arange(horizon) < len(paid)
        fill = [(0, horizon - len(paid))]
        padded = (np.pad(x, fill + [(0, 0)] * (x.ndim - 1)) for x in (seen, done, paid))
        return *padded, real

    def _own(self, one: Recorded) -> Recorded:
        """What was recorded, by an agent of an environment like this one's."""
        shapes = tuple(np.shape(part) for part in one[:3])
        time = np.shape(one.paid)
        own = (time + tuple(self.interface.observation_shape), time + self.interface.actions.shape)
        if len(time) != 1 or shapes != (*own, time):
            raise BadInput(
                f"a recorded episode has observations, actions and rewards of the shapes {shapes}; "
                f"here they are {(*own, time)}: give episodes that were acted in this environment"
            )
        return one

    def _read(self, one: Any) -> Recorded:
        if not isinstance(one, tuple | list) or len(one) != 3 or any(map(_unsized, one)):
            raise BadInput(
                f"a trajectory is {type(one).__name__}; give (observations, actions, rewards), "
                "three lists or arrays of one episode, in a list of such episodes"
            )
        observations, actions, rewards = one
        if len(rewards) == 0:
            raise BadInput("an episode has no step; leave it out")
        if len(observations) not in (len(actions), len(actions) + 1):
            raise BadInput(
                f"a trajectory has {len(observations)} observations, {len(actions)} actions and "
                f"{len(rewards)} rewards; give one of each for every step"
            )
        if len(actions) != len(rewards):
            raise BadInput(f"{len(actions)} actions have {len(rewards)} rewards; give one for each")
        paid = np.array([one_reward(reward) for reward in rewards], np.float32)
        seen = np.stack([self.interface.see(o) for o in observations[: len(actions)]])
        done = np.stack([self.interface.taken(a) for a in actions])
        return Recorded(seen, done, paid, greedy=False)


def _unsized(part: Any) -> bool:
    return not hasattr(part, "__len__") or isinstance(part, str | bytes | Mapping)


@eqx.filter_jit
def _updated(now: Any, rest: Any, adaptation: Adaptation, paths: Trajectories, number: Any) -> Any:
    """θ and the rule's state after one step."""
    theta, state = now
    policy, paths = eqx.combine(theta, rest), adaptation.read(paths)
    log_prob: Float[jax.Array, "k time"] = path_log_probs(policy, paths)
    paths = paths._replace(log_prob=jnp.where(paths.real, log_prob, 0.0))
    policy, state = adaptation.step(policy, state, paths, number)
    return eqx.filter(policy, eqx.is_inexact_array), state
