"""Random tabular MDPs (Duan et al., 2016, RL², https://arxiv.org/abs/1611.02779, section 3.2)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.envs.environment import Action, Actions, Discrete, Environment, Observation, Step
from quickstudy.errors import demand_counts


class Table(eqx.Module):
    """One MDP.

    Attributes:
        transitions: `[states, actions, states]`, P(s' | s, a).
        rewards: `[states, actions]`, the mean of r(s, a), which has the variance 1.
    """

    transitions: Float[Array, "s a s"]
    rewards: Float[Array, "s a"]


class TabularMDP(Environment):
    """P(· | s, a) from a flat Dirichlet, mean rewards from N(1, 1), rewards with noise N(0, 1).

    Episodes of 10 steps begin in state 0; the observation is the state, one-hot. The paper's
    trials have n ∈ {10, 25, 50, 75, 100} episodes; a trial's score is its total reward.

    Attributes:
        states: |S|.
        choices: |A|.
        horizon: T.

    Raises:
        BadInput: no state, no action or no step.

    Example:
        >>> mdp = TabularMDP()
        >>> task = mdp.sample(jax.random.key(0))
        >>> task.transitions.shape, mdp.reset(jax.random.key(1), task)[1].shape
        ((10, 5, 10), (10,))
    """

    states: int = eqx.field(static=True, default=10)
    choices: int = eqx.field(static=True, default=5)
    horizon: int = eqx.field(static=True, default=10)

    def __check_init__(self) -> None:
        demand_counts(states=self.states, choices=self.choices, horizon=self.horizon)

    @property
    def actions(self) -> Actions:
        """Any action in any state."""
        return Discrete(self.choices)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The state, one-hot."""
        return (self.states,)

    def sample(self, key: PRNGKeyArray) -> Table:
        """Transitions and mean rewards."""
        p_key, r_key = jax.random.split(key)
        shape = (self.states, self.choices)
        # Exponentials divided by their sum are a flat Dirichlet.
        p = jax.random.exponential(p_key, (*shape, self.states))
        return Table(p / p.sum(-1, keepdims=True), 1.0 + jax.random.normal(r_key, shape))

    def reset(self, key: PRNGKeyArray, task: Table) -> tuple[Int[Array, ""], Observation]:
        """State 0."""
        state = jnp.zeros((), jnp.int32)
        return state, self._observe(state)

    def step(self, key: PRNGKeyArray, state: Int[Array, ""], action: Action, task: Table) -> Step:
        """Move and be paid."""
        move_key, noise_key = jax.random.split(key)
        # The first state at which the cumulated probability exceeds a uniform number.
        cumulated = jnp.cumsum(task.transitions[state, action])
        drawn = jnp.sum(cumulated <= jax.random.uniform(move_key) * cumulated[-1])
        # Rounding may take the product up to the last sum itself.
        after = jnp.minimum(drawn, self.states - 1).astype(jnp.int32)
        reward = task.rewards[state, action] + jax.random.normal(noise_key)
        return Step(after, self._observe(after), reward, jnp.array(False))

    def _observe(self, state: Int[Array, ""]) -> Observation:
        return jax.nn.one_hot(state, self.states, dtype=jnp.float32)
