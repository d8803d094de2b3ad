"""Tasks on which several agents are compared."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from quickstudy.envs.environment import MDP, Environment


@eqx.filter_jit
def draw_tasks(environment: Environment, instances: int, *, key: PRNGKeyArray) -> MDP:
    """M_i ~ p(M) with `fold_in(key, i)`, for i < `instances`, stacked on a leading axis.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> draw_tasks(Bandit(arms=5), 100, key=jax.random.key(0)).p.shape
        (100, 5)
    """
    return jax.vmap(lambda i: environment.sample(jax.random.fold_in(key, i)))(jnp.arange(instances))
