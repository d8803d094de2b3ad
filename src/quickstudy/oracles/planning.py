"""Finite-horizon planning in a tabular MDP: Bellman's equations, from the last step backwards.

    Q_h(s, a) = r(s, a) + Σ_s' P(s' | s, a) max_a' Q_{h+1}(s', a'),   Q_T = 0

(Bellman, 1957; Puterman, 1994, "Markov Decision Processes", chapter 4). All functions are of one
MDP; `vmap` makes many.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from quickstudy.envs.tabular import Table

Values = Float[Array, " s"]
StateActions = Float[Array, "s a"]
Q = Float[Array, "h s a"]
Policy = Int[Array, "h s"]


def value_iteration(model: Table, horizon: int) -> Q:
    """Q of the optimal policy of a known MDP.

    Args:
        model: the MDP.
        horizon: T, static.

    Returns:
        `[T, states, actions]`.

    Example:
        In state 0 one may take 1 and stay, or go to state 1, where every step pays 3.

        >>> go, stay = jnp.eye(2)[1], jnp.eye(2)[0]
        >>> model = Table(jnp.array([[stay, go], [go, go]]), jnp.array([[1.0, 0.0], [3.0, 3.0]]))
        >>> q = value_iteration(model, horizon=2)
        >>> q[0].tolist(), policy_of(q)[:, 0].tolist()
        ([[2.0, 3.0], [6.0, 6.0]], [1, 0])
    """
    return _backwards(lambda ahead: model.rewards + model.transitions @ ahead, model, horizon)


def extended_value_iteration(model: Table, radius: StateActions, horizon: int) -> Q:
    """Q of the best MDP whose transitions are near, and of its optimal policy.

    Σ_s' |P'(s' | s, a) − P(s' | s, a)| ≤ radius(s, a): half the radius is moved to the state that
    is worth most, from those worth least (Jaksch et al., 2010,
    https://jmlr.org/papers/v11/jaksch10a.html, figure 2).

    Args:
        model: the MDP in the middle.
        radius: `[states, actions]`, in [0, 2] or more.
        horizon: T, static.

    Returns:
        `[T, states, actions]`.

    Example:
        >>> model = Table(jnp.full((2, 1, 2), 0.5), jnp.array([[0.0], [1.0]]))
        >>> extended_value_iteration(model, jnp.full((2, 1), 0.5), horizon=2)[0].tolist()
        [[0.75], [1.75]]
    """

    def backup(ahead: Values) -> StateActions:
        order = jnp.argsort(ahead)
        p = model.transitions[..., order]
        # The best state cannot get more than the others have.
        moved = jnp.minimum(radius / 2, 1 - p[..., -1])
        # The worst states give all they have, then the next, until `moved` is found.
        given = jnp.clip(moved[..., None] - (jnp.cumsum(p, -1) - p), 0, p)
        p = (p - given).at[..., -1].set(p[..., -1] + moved)
        return model.rewards + p @ ahead[order]

    return _backwards(backup, model, horizon)


def policy_of(q: Q) -> Policy:
    """argmax_a Q_h(s, a), `[T, states]`; of equal actions, the first."""
    return jnp.argmax(q, -1)


@eqx.filter_jit
def optimum(tasks: Table, horizon: int) -> Float[Array, " instances"]:
    """max_a Q_0(0, a): the expected reward per episode from state 0, with the MDP known.

    Args:
        tasks: MDPs with a leading axis.
        horizon: T.
    """
    return jax.vmap(lambda task: value_iteration(task, horizon)[0, 0].max())(tasks)


def _backwards(backup: Callable[[Values], StateActions], model: Table, horizon: int) -> Q:
    """Q_h = backup(max_a Q_{h+1}), from h = T − 1 to 0."""

    def step(ahead: Values, _: None) -> tuple[Values, StateActions]:
        q = backup(ahead)
        return q.max(-1), q

    nothing = jnp.zeros(model.rewards.shape[0])
    return jax.lax.scan(step, nothing, length=horizon, reverse=True)[1]
