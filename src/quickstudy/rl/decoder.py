"""What a task's hidden vector tells: the rewards and the next observations of a trial's steps."""

import abc
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Linear
from quickstudy.rl.rollout import Rollout
from quickstudy.rl.trial import Trial


class Transitions(NamedTuple):
    """The steps of one trial, `[time]`.

    Attributes:
        observation: o_i, flat.
        action: a_i, encoded.
        after: o_{i+1}, flat; zeros where the episode ended, for what follows is of the next one.
        done: 1 where the episode ended.
        reward: r_i.
        real: which steps the trial has.
    """

    observation: Float[Array, "time observed"]
    action: Float[Array, "time actions"]
    after: Float[Array, "time observed"]
    done: Float[Array, " time"]
    reward: Float[Array, " time"]
    real: Bool[Array, " time"]


def transitions(path: Rollout, trial: Trial) -> Transitions:
    """The steps of one trial.

    Args:
        path: `[time]`.
        trial: what was acted in.
    """
    steps = path.reward.shape[0]
    observation = path.seen.observation.reshape(steps, -1)
    action = jax.vmap(trial.environment.actions.encode)(path.action)
    # A trial's last step ends an episode, so that nothing is missing after it.
    after = jnp.roll(observation, -1, axis=0)
    after = jnp.where(path.done[:, None], 0.0, after)
    done = path.done.astype(observation.dtype)
    return Transitions(observation, action, after, done, path.reward, path.real)


class Pairwise(eqx.Module):
    """W (f(m_j) ∘ g(x_i)) + b on all pairs, f and g multilayer perceptrons: `[n, latent], [time,
    inputs] -> [n, time, outputs]`.

    f and g are each computed once. Their product lets m choose among places, as an output for every
    state does in the authors' code; a perceptron on the sum of a part of m and one of x came to
    25.8 where this comes to 30.9 (results/LAB.md, GridNavi).

    Example:
        >>> network = Pairwise.create((5, 3), 16, 1, key=jax.random.key(0))
        >>> network(jnp.ones((4, 5)), jnp.ones((7, 3))).shape
        (4, 7, 1)
    """

    of_task: MLP
    of_step: MLP
    last: Linear

    @classmethod
    def create(
        cls, sizes: tuple[int, int], width: int, outputs: int, *, key: PRNGKeyArray
    ) -> "Pairwise":
        """Of two layers each.

        Args:
            sizes: of m_j and of x_i.
            width: of their layers.
            outputs: how many numbers it predicts.
            key: consumed.
        """
        *keys, last_key = jax.random.split(key, 3)
        of_task, of_step = (MLP(n, (width, width), key=k) for n, k in zip(sizes, keys, strict=True))
        return cls(of_task, of_step, Linear.create(width, outputs, key=last_key))

    def __call__(
        self, m: Float[Array, "n latent"], x: Float[Array, "time inputs"]
    ) -> Float[Array, "n time outputs"]:
        """All pairs."""
        hidden = self.of_task(m)[:, None] * self.of_step(x)[None]
        flat = self.last(hidden.reshape(-1, hidden.shape[-1]))
        return flat.reshape(*hidden.shape[:2], -1)


class Decoder(eqx.Module):
    """Predicts something of every step of a trial from m and that step alone (Zintgraf et al.,
    2020, https://arxiv.org/abs/1910.08348).

    What of the past it may need, m has to tell: so m comes to know the task.
    """

    network: Pairwise
    predicts: ClassVar[str]

    @abc.abstractmethod
    def reads(self, steps: Transitions) -> Float[Array, "time inputs"]:
        """What is known of each step beside m."""

    @abc.abstractmethod
    def targets(self, steps: Transitions) -> Float[Array, "time outputs"]:
        """What is to be predicted."""

    @abc.abstractmethod
    def counts(self, steps: Transitions) -> Bool[Array, " time"]:
        """Which steps have it."""

    def errors(
        self, m: Float[Array, "n latent"], steps: Transitions
    ) -> Float[Array, "n time outputs"]:
        """(prediction − target)² at all steps, for each of n vectors."""
        return jnp.square(self.network(m, self.reads(steps)) - self.targets(steps)[None])


class RewardDecoder(Decoder):
    """E[r_i | o_i, a_i, o_{i+1}, d_i, m], of every step.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> trial = Trial(Bandit(arms=3), episodes=4)
        >>> decoder = RewardDecoder.create(trial, 5, 16, key=jax.random.key(0))
        >>> nothing = jnp.zeros((4, 0))
        >>> steps = Transitions(
        ...     nothing, jnp.eye(3)[jnp.array([0, 1, 1, 2])], nothing, *jnp.ones((2, 4)),
        ...     jnp.ones(4, bool),
        ... )  # fmt: skip
        >>> decoder.errors(jnp.zeros((2, 5)), steps).shape
        (2, 4, 1)
    """

    predicts = "reward"

    @classmethod
    def create(cls, trial: Trial, latent: int, width: int, *, key: PRNGKeyArray) -> "RewardDecoder":
        """Untrained.

        Args:
            trial: whose rewards.
            latent: the size of m.
            width: of its two hidden layers.
            key: consumed.
        """
        inputs = 2 * trial.observed + trial.environment.actions.size + 1
        return cls(Pairwise.create((latent, inputs), width, 1, key=key))

    def reads(self, steps: Transitions) -> Float[Array, "time inputs"]:
        """(o_i, a_i, o_{i+1}, d_i)."""
        known = [steps.observation, steps.action, steps.after, steps.done[:, None]]
        return jnp.concatenate(known, axis=-1)

    def targets(self, steps: Transitions) -> Float[Array, "time outputs"]:
        """r_i."""
        return steps.reward[:, None]

    def counts(self, steps: Transitions) -> Bool[Array, " time"]:
        """All."""
        return steps.real


class StateDecoder(Decoder):
    """E[o_{i+1} | o_i, a_i, m], as the change from o_i, of the steps that do not end an episode."""

    predicts = "state"

    @classmethod
    def create(cls, trial: Trial, latent: int, width: int, *, key: PRNGKeyArray) -> "StateDecoder":
        """Untrained; arguments as `RewardDecoder.create` has them."""
        observed = trial.observed
        inputs = observed + trial.environment.actions.size
        return cls(Pairwise.create((latent, inputs), width, observed, key=key))

    def reads(self, steps: Transitions) -> Float[Array, "time inputs"]:
        """(o_i, a_i)."""
        return jnp.concatenate([steps.observation, steps.action], axis=-1)

    def targets(self, steps: Transitions) -> Float[Array, "time outputs"]:
        """o_{i+1} − o_i."""
        return steps.after - steps.observation

    def counts(self, steps: Transitions) -> Bool[Array, " time"]:
        """Where o_{i+1} was seen."""
        return steps.real & (steps.done < 0.5)
