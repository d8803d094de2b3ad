"""Bernoulli bandits (Duan et al., 2016, RL², https://arxiv.org/abs/1611.02779, section 3.1)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.envs.environment import Action, Actions, Discrete, Environment, Observation, Step
from quickstudy.errors import demand_counts


class Arms(eqx.Module):
    """One bandit.

    Attributes:
        p: `[k]`, the probability that an arm pays 1 rather than 0.
    """

    p: Float[Array, " k"]


class Bandit(Environment):
    """k arms with p ~ U[0, 1] each; an episode is one pull, and there is nothing to see.

    A trial of n episodes is the paper's bandit of n pulls: k ∈ {5, 10, 50}, n ∈ {10, 100, 500};
    its score is the trial's total reward.

    Attributes:
        arms: k.

    Raises:
        BadInput: no arm.

    Example:
        >>> bandit = Bandit(arms=5)
        >>> task = bandit.sample(jax.random.key(0))
        >>> state, _ = bandit.reset(jax.random.key(1), task)
        >>> bool(bandit.step(jax.random.key(2), state, jnp.array(3), task).done)
        True
    """

    arms: int = eqx.field(static=True, default=5)
    horizon: int = eqx.field(static=True, default=1, init=False)

    def __check_init__(self) -> None:
        demand_counts(arms=self.arms)

    @property
    def actions(self) -> Actions:
        """The arms."""
        return Discrete(self.arms)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Nothing."""
        return (0,)

    def sample(self, key: PRNGKeyArray) -> Arms:
        """Each arm's p, independently."""
        return Arms(jax.random.uniform(key, (self.arms,)))

    def reset(self, key: PRNGKeyArray, task: Arms) -> tuple[None, Observation]:
        """A bandit has no state."""
        return None, jnp.zeros(0)

    def step(self, key: PRNGKeyArray, state: None, action: Action, task: Arms) -> Step:
        """Pull an arm."""
        paid = jax.random.uniform(key) < task.p[action]
        return Step(None, jnp.zeros(0), paid.astype(jnp.float32), jnp.array(True))
