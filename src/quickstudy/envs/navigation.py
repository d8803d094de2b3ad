"""Points that walk to unseen goals in the plane, with dense and with sparse rewards."""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.envs.environment import (
    Action,
    Actions,
    Continuous,
    Environment,
    Observation,
    Step,
)

SPEED = 0.1  # the most that a coordinate changes in one step
NEAR = 0.01  # an episode of `Navigation` ends this near to the goal

Position = Float[Array, "2"]
Reward = Callable[[Position, Position], Float[Array, ""]]


class Goal(eqx.Module):
    """One task.

    Attributes:
        position: where to go.
    """

    position: Position


def negative_distance(position: Position, goal: Position) -> Float[Array, ""]:
    """−‖s − g‖, the reward in the code of MAML's authors.

    Example:
        >>> float(negative_distance(jnp.array([3.0, 4.0]), jnp.zeros(2)))
        -5.0
    """
    return -jnp.linalg.norm(position - goal)


def squared_distance_reward(position: Position, goal: Position) -> Float[Array, ""]:
    """−‖s − g‖², the reward that the paper of MAML writes.

    Example:
        >>> float(squared_distance_reward(jnp.array([3.0, 4.0]), jnp.zeros(2)))
        -25.0
    """
    return -jnp.sum((position - goal) ** 2)


class Plane(Environment):
    """A point in the plane that starts at the origin and moves by at most 0.1 per coordinate.

    s_{t+1} = s_t + clip(a_t, ±0.1); the observation is s, and never the goal.
    """

    @property
    def actions(self) -> Actions:
        """How far to move."""
        return Continuous(2, SPEED)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The position."""
        return (2,)

    @abc.abstractmethod
    def pay(self, position: Position, task: Goal) -> Float[Array, ""]:
        """The reward for having moved to `position`."""

    @abc.abstractmethod
    def arrived(self, position: Position, task: Goal) -> Bool[Array, ""]:
        """Whether the episode ends at `position`."""

    def reset(self, key: PRNGKeyArray, task: Goal) -> tuple[Position, Observation]:
        """The origin."""
        return jnp.zeros(2), jnp.zeros(2)

    def step(self, key: PRNGKeyArray, state: Position, action: Action, task: Goal) -> Step:
        """Move, and be paid for where that leads."""
        after = state + self.actions.encode(action)
        return Step(after, after, self.pay(after, task), self.arrived(after, task))

    def optimal_action(self, state: Position, task: Goal) -> Action:
        """Towards the goal: no policy has either coordinate nearer to it at any time.

        Example:
            >>> Navigation().optimal_action(jnp.zeros(2), Goal(jnp.array([0.5, 0.05]))).tolist()
            [0.10..., 0.05...]
        """
        return self.actions.encode(task.position - state)


class Navigation(Plane):
    """2-D navigation of MAML: walk to a goal, which lies uniformly in [−0.5, 0.5]².

    An episode ends at the goal (both coordinates within 0.01, as in the authors' code) or after
    100 steps. The paper's reward is −‖s − g‖², that of its code −‖s − g‖: two tasks of different
    scores, so say which one is meant.

    Attributes:
        reward: `negative_distance` (the code's) or `squared_distance_reward` (the paper's).
        horizon: H.

    Example:
        >>> papers = Navigation(squared_distance_reward)
        >>> task = Goal(jnp.array([0.4, 0.0]))
        >>> state, _ = papers.reset(jax.random.key(0), task)
        >>> step = papers.step(jax.random.key(1), state, jnp.array([1.0, 0.0]), task)
        >>> step.observation.tolist(), round(float(step.reward), 4)
        ([0.10..., 0.0], -0.09)

    References:
        Finn, Abbeel and Levine (2017), https://arxiv.org/abs/1703.03400, section 5.3; its code is
        https://github.com/cbfinn/maml_rl, `maml_examples/point_env_randgoal.py`.
    """

    reward: Reward = eqx.field(static=True, default=negative_distance)
    horizon: int = eqx.field(static=True, default=100)

    def sample(self, key: PRNGKeyArray) -> Goal:
        """A goal in the square."""
        return Goal(jax.random.uniform(key, (2,), minval=-0.5, maxval=0.5))

    def pay(self, position: Position, task: Goal) -> Float[Array, ""]:
        """Less for being further away."""
        return self.reward(position, task.position)

    def arrived(self, position: Position, task: Goal) -> Bool[Array, ""]:
        """Whether both coordinates are within 0.01 of the goal's."""
        return jnp.all(jnp.abs(position - task.position) < NEAR)


class SparseNavigation(Plane):
    """Sparse 2-D navigation of PEARL: find a goal on the unit half circle that only pays nearby.

    r = 1 − ‖s − g‖ if ‖s − g‖ ≤ radius, else 0; the goal lies at an angle ~ U[0, π]. Episodes have
    20 steps and do not end at the goal. The authors draw a fixed set of goals at equal angles;
    here every task has a fresh one, and the reward is the sparse one in training too.

    Attributes:
        radius: how near the goal is felt.
        horizon: H.

    Example:
        >>> task = Goal(jnp.array([0.0, 1.0]))
        >>> sparse = SparseNavigation()
        >>> far, near = jnp.array([0.0, 0.5]), jnp.array([0.0, 0.75])
        >>> float(sparse.pay(far, task)), float(sparse.pay(near + 0.125, task))
        (0.0, 0.823...)

    References:
        Rakelly et al. (2019), https://arxiv.org/abs/1903.08254, section 6.3; its code is
        https://github.com/katerakelly/oyster, `rlkit/envs/point_robot.py`.
    """

    radius: float = eqx.field(static=True, default=0.2)
    horizon: int = eqx.field(static=True, default=20)

    def sample(self, key: PRNGKeyArray) -> Goal:
        """A goal on the upper half of the unit circle."""
        angle = jax.random.uniform(key, maxval=jnp.pi)
        return Goal(jnp.stack([jnp.cos(angle), jnp.sin(angle)]))

    def pay(self, position: Position, task: Goal) -> Float[Array, ""]:
        """1 − the distance where the goal is felt."""
        distance = jnp.linalg.norm(position - task.position)
        # Nothing to climb outside: the goal must be searched for.
        return jnp.where(distance <= self.radius, 1.0 - distance, 0.0)

    def arrived(self, position: Position, task: Goal) -> Bool[Array, ""]:
        """Never: a goal may be kept."""
        return jnp.array(False)
