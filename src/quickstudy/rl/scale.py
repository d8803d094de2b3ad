"""The scale of observations and rewards: as they are, or by running statistics.

Statistics are gathered between training steps and never by a gradient. They stay as they are
while a step's trials are acted, so that a policy finds its actions as likely as it did then.
"""

import abc
import math
from typing import Any, NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.envs.environment import MDP, Action, MDPFamily, Picture
from quickstudy.envs.interface import Interface
from quickstudy.mesh import total
from quickstudy.nets.memory import State
from quickstudy.rl.agent import Agent
from quickstudy.rl.distributions import ActionDistribution
from quickstudy.rl.trial import Seen

MOST = 10.0  # standard deviations: what lies beyond is clipped
# What is constant has a deviation of rounding alone, as a share of its mean, and of nothing.
ROUNDING, NOTHING = 1e-6, 1e-8


class Steps(NamedTuple):
    """What statistics are made of, on any axes in front `[..., time]`, a device's share.

    Attributes:
        observation: o_t.
        reward: r_t.
        real: which steps count.
    """

    observation: Float[Array, "..."]
    reward: Float[Array, "..."]
    real: Bool[Array, "..."]


class Moments(eqx.Module):
    """Mean and variance of all numbers that were met so far.

    Attributes:
        count: how many.
        mean: their mean, one for each coordinate.
        variance: the mean square of what they are apart from it.

    Example:
        >>> two, four = jnp.float32(2), jnp.float32(4)
        >>> moments = Moments.none(()).merged(two, jnp.float32(1), four)
        >>> merged = moments.merged(two, two, jnp.float32(0))
        >>> float(merged.mean), float(merged.variance)
        (2.0, 3.0)
    """

    count: Float[Array, ""]
    mean: Float[Array, "..."]
    variance: Float[Array, "..."]

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> "Moments":
        """Of no number: a mean of 0 and a variance of 1."""
        return cls(jnp.zeros(()), jnp.zeros(shape), jnp.ones(shape))

    @property
    def deviation(self) -> Float[Array, "..."]:
        """The standard deviation; for what is constant the size of its rounding."""
        return jnp.sqrt(self.variance + (ROUNDING * self.mean) ** 2 + NOTHING)

    def merged(self, count: Array, apart: Array, variance: Array) -> "Moments":
        """With those of n_b other numbers, δ = μ_b − μ_a apart (Chan, Golub and LeVeque, 1979,
        http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf):

            n = n_a + n_b,   μ = μ_a + δ n_b / n,   n σ² = n_a σ_a² + n_b σ_b² + δ² n_a n_b / n
        """
        together = self.count + count
        share = count / jnp.maximum(together, 1)
        within = (1 - share) * self.variance + share * variance
        variance = within + share * (1 - share) * apart**2
        found = Moments(together, self.mean + share * apart, variance)
        # Of no numbers nothing is learned, and a variance of 1 stays.
        return jax.tree.map(lambda new, old: jnp.where(count > 0, new, old), found, self)

    def met(self, x: Float[Array, "..."], real: Bool[Array, "..."]) -> "Moments":
        """With those of x that are real, on all devices; inside `quickstudy.mesh.on_shares`."""
        rows = x.reshape(real.size, *self.mean.shape)  # -1 is unknown where nothing is observed
        counts = real.reshape(-1, *(1,) * self.mean.ndim)
        # From the mean so far: sums and squares of numbers far from zero would lose their last
        # digits. What is not real may be infinite.
        rows = jnp.where(counts, rows - self.mean[None], 0.0)
        sums, count = total((jnp.sum(rows, 0), jnp.sum(real)))
        many = jnp.maximum(count, 1)
        apart = sums / many
        squares = total(jnp.sum(jnp.where(counts, rows - apart[None], 0.0) ** 2, 0))
        return self.merged(count.astype(jnp.float32), apart, squares / many)


class Scale(eqx.Module):
    """Base: in which scale a policy sees observations, and is paid."""

    @abc.abstractmethod
    def see(self, observation: Float[Array, "..."]) -> Float[Array, "..."]:
        """Observations `[..., *shape]` as the policy sees them."""

    @abc.abstractmethod
    def pay(self, reward: Float[Array, "..."]) -> Float[Array, "..."]:
        """Rewards as the policy's critic counts them."""

    @abc.abstractmethod
    def read(self, seen: Seen) -> Seen:
        """All that a policy sees, on any axes in front."""

    @abc.abstractmethod
    def met(self, steps: Steps, discount: float) -> Self:
        """The scale after these steps, whose rewards γ discounts."""

    @abc.abstractmethod
    def worn(self, policy: Any) -> Any:
        """The policy that reads what is in no scale yet."""


class Fixed(Scale):
    """Everything as it is.

    Example:
        >>> float(Fixed().see(jnp.float32(1000.0)))
        1000.0
    """

    def see(self, observation: Float[Array, "..."]) -> Float[Array, "..."]:
        return observation

    def pay(self, reward: Float[Array, "..."]) -> Float[Array, "..."]:
        return reward

    def read(self, seen: Seen) -> Seen:
        return seen

    def met(self, steps: Steps, discount: float) -> "Fixed":
        return self

    def worn(self, policy: Any) -> Any:
        return policy


class Running(Scale):
    """By running statistics: observations with a mean of 0 and a variance of 1, clipped at ± 10;
    rewards divided by the standard deviation of their discounted sum, R_t = γ R_{t−1} + r_t from
    the trial's first step on, as in Gymnasium's `NormalizeReward`. Pictures, whose numbers are
    between 0 and 1, stay as they are.

    Attributes:
        observations: of each number in an observation.
        returns: of R_t.
        pictures: what of an observation is one.

    Example:
        >>> import quickstudy as qs
        >>> scale = Running.of(qs.Navigation())
        >>> scale.see(jnp.array([0.5, 99.0])).tolist()
        [0.5, 10.0]
    """

    observations: Moments
    returns: Moments
    pictures: tuple[Picture, ...] = eqx.field(static=True, default=())

    @classmethod
    def of(cls, family: MDPFamily) -> "Running":
        """Before any step."""
        observations = Moments.none(tuple(family.observation_shape))
        return cls(observations, Moments.none(()), tuple(family.pictures))

    def see(self, observation: Float[Array, "..."]) -> Float[Array, "..."]:
        shape, known = observation.shape, self.observations
        count = math.prod(shape[: len(shape) - known.mean.ndim])
        rows = observation.reshape(count, *known.mean.shape)
        scaled = jnp.clip((rows - known.mean[None]) / known.deviation[None], -MOST, MOST)
        return jnp.where(self._pictured()[None], rows, scaled).reshape(shape)

    def _pictured(self) -> Bool[np.ndarray, "..."]:
        """Which numbers are a picture's."""
        found = np.zeros(self.observations.mean.size, bool)
        for start, shape in self.pictures:
            found[start : start + math.prod(shape)] = True
        return found.reshape(self.observations.mean.shape)

    def pay(self, reward: Float[Array, "..."]) -> Float[Array, "..."]:
        return reward / self.returns.deviation

    def read(self, seen: Seen) -> Seen:
        paid = jnp.clip(self.pay(seen.reward_tm1), -MOST, MOST)
        return seen._replace(observation=self.see(seen.observation), reward_tm1=paid)

    def met(self, steps: Steps, discount: float) -> "Running":
        sums = _discounted(steps.reward, discount)
        return Running(
            self.observations.met(steps.observation, steps.real),
            self.returns.met(sums, steps.real),
            self.pictures,
        )

    def worn(self, policy: Any) -> "Scaled":
        return Scaled(policy, self)


class Scaled(eqx.Module):
    """A policy, and the scale that it sees in.

    Attributes:
        policy: what acts.
        scale: its statistics are no parameters of the policy.

    Example:
        >>> import quickstudy as qs
        >>> policy = qs.Reactive.create(qs.Navigation(), (8,), key=jax.random.key(0))
        >>> Scaled(policy, Running.of(qs.Navigation())).agent(greedy=True).reset([0.1, 0.2]).shape
        (2,)
    """

    policy: Any
    scale: Scale

    @property
    def interface(self) -> Interface | None:
        """What it acts in."""
        return self.policy.interface

    def begin(self, task: MDP = None) -> State:
        """The policy's."""
        return self.policy.begin(task)

    def consider(self, state: State, seen: Seen) -> tuple[State, ActionDistribution]:
        """π(· | what was seen)."""
        return self.policy.consider(state, self.scale.read(seen))

    def act(self, state: State, seen: Seen, *, key: PRNGKeyArray) -> tuple[State, Action, Any]:
        """Act at time t, and note what the policy notes. The key is consumed."""
        return self.policy.act(state, self.scale.read(seen), key=key)

    def agent(self, *, greedy: bool = False, seed: int | np.integer = 0) -> Agent:
        """The policy in a loop of your own; arguments as `Agent` has them."""
        return Agent(self, self.interface, greedy=greedy, seed=seed)


def _discounted(reward: Float[Array, "..."], discount: float) -> Float[Array, "..."]:
    """R_t = γ R_{t−1} + r_t along the last axis."""

    def on(before: Array, now: Array) -> tuple[Array, Array]:
        after = discount * before + now
        return after, after

    times = jnp.moveaxis(reward, -1, 0)
    return jnp.moveaxis(jax.lax.scan(on, jnp.zeros_like(times[0]), times)[1], 0, -1)
