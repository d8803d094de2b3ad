"""Tiny MDPs whose expected returns, and meta-gradients, are sums over all trajectories."""

import itertools

import jax
import jax.numpy as jnp

HORIZON = 3


def trajectories():
    """All states (the first is 0) and actions of three steps: 2³ · 2² = 32."""
    found = [
        ((0, *states), actions)
        for states in itertools.product((0, 1), repeat=HORIZON - 1)
        for actions in itertools.product((0, 1), repeat=HORIZON)
    ]
    states, actions = zip(*found, strict=True)
    return jnp.array(states), jnp.array(actions)


STATES, ACTIONS = trajectories()
REAL = jnp.ones(ACTIONS.shape, bool)


def random_mdp(key):
    """Transitions flat Dirichlet `[s, a, s']`, rewards N(0, 4) `[s, a]`, logits N(0, 1)."""
    first, second, third = jax.random.split(key, 3)
    transitions = jax.random.dirichlet(first, jnp.ones(2), (2, 2))
    return (transitions, 2 * jax.random.normal(second, (2, 2))), jax.random.normal(third, (2, 2))


def log_probs(theta):
    """log π(a_t) of every trajectory, `[32, 3]`."""
    return jax.nn.log_softmax(theta)[STATES, ACTIONS]


def chances(theta, mdp):
    """p(τ), `[32]`."""
    moves = mdp[0][STATES[:, :-1], ACTIONS[:, :-1], STATES[:, 1:]]
    return jnp.exp(jnp.sum(log_probs(theta), 1)) * jnp.prod(moves, 1)


def to_go(mdp):
    """Rewards to go, `[32, 3]`."""
    rewards = mdp[1][STATES, ACTIONS]
    return jnp.cumsum(rewards[:, ::-1], 1)[:, ::-1]


def expected_return(theta, mdp):
    """J(θ)."""
    return jnp.sum(chances(theta, mdp) * to_go(mdp)[:, 0])


def inner_gradient(theta, mdp, estimator):
    """E_τ[ĝ(τ)] as an estimator gives it from infinitely many trajectories: the weights p(τ) are
    constants, as samples are."""
    weights = jax.lax.stop_gradient(chances(theta, mdp))
    old = jax.lax.stop_gradient(log_probs(theta))

    def surrogate(theta):
        # The mean over 32 trajectories becomes their expectation.
        advantage = to_go(mdp) * weights[:, None] * len(STATES)
        return estimator.surrogate(log_probs(theta), old, advantage, REAL)

    return estimator.gradient(surrogate, theta)


def each_gradient(theta, mdp, estimator):
    """ĝ(τ) of every single trajectory, `[32, s, a]`."""
    old = jax.lax.stop_gradient(log_probs(theta))

    def one(number):
        def surrogate(theta):
            pick = lambda x: x[number][None]  # noqa: E731
            return estimator.surrogate(*map(pick, (log_probs(theta), old, to_go(mdp), REAL)))

        return estimator.gradient(surrogate, theta)

    return jax.vmap(one)(jnp.arange(len(STATES)))
