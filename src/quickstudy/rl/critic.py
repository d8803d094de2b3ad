"""Critics: what a policy expects of the rest of a trial, which only its training asks for.

V is linear in h_t, what is remembered. An informed critic's coefficients depend on the MDP, which
training knows and the policy must find out.
"""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.envs.environment import MDP, Environment
from quickstudy.errors import BadInput
from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Linear

SAMPLES = 256  # tasks by which an informed critic's inputs are brought to mean 0 and variance 1


@runtime_checkable
class Critic(Protocol):
    """How much more (discounted) reward is left in a trial than in a mean one at that time."""

    def of(self, task: MDP) -> Linear:
        """V in that MDP, from h_t `[time, h]` to `[time, 1]`."""
        ...


class HistoryCritic(eqx.Module):
    """V(h_t), the same in every MDP: for tasks that cannot be told in numbers, and for comparing.

    Attributes:
        linear: from h_t to V.

    Example:
        >>> HistoryCritic.create(8).of(None)(jnp.ones((5, 8))).shape
        (5, 1)
    """

    linear: Linear

    @classmethod
    def create(cls, features: int) -> "HistoryCritic":
        """Zero at first.

        Args:
            features: the size of h_t.
        """
        return cls(Linear.zeros(features, 1))

    def of(self, task: MDP) -> Linear:
        """V, whatever the MDP."""
        return self.linear


class InformedCritic(eqx.Module):
    """V(h_t, M) = w(M)ᵀ h_t + b(M), the critic of a policy that does not see M itself
    (asymmetric actor–critic: Pinto et al., 2017, https://arxiv.org/abs/1710.06542).

    A critic of the history alone learns of the MDP what the policy learns, so that V leaps with
    every reward that tells something, by that much for each of the steps that are left; those leaps
    are noise in the advantage of whatever was done just then. Who knows the MDP from the start is
    not surprised. Both leave the policy gradient's expectation as it is, for neither V depends on
    a_t. The network is asked once per trial, not at every step.

    Attributes:
        network: (w, b), from the numbers of which M consists.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> family = Bandit(arms=3)
        >>> critic = InformedCritic.create(family, 8, key=jax.random.key(0))
        >>> critic.of(family.sample(jax.random.key(1)))(jnp.ones((5, 8))).shape
        (5, 1)
    """

    network: MLP

    @classmethod
    def create(
        cls, environment: Environment, features: int, *, width: int = 64, key: PRNGKeyArray
    ) -> "InformedCritic":
        """Zero at first.

        Args:
            environment: whose tasks it is to know.
            features: the size of h_t.
            width: of the network's one hidden layer.
            key: consumed.

        Raises:
            BadInput: nothing in a task is a number, or tasks are drawn on the host.
        """
        net_key, task_key = jax.random.split(key)
        tasks = jax.vmap(environment.sample)(jax.random.split(task_key, SAMPLES))
        numbers = jax.vmap(_numbers)(tasks)
        if not numbers.shape[1]:
            raise BadInput(
                f"an informed critic knows a task by its numbers, and those of "
                f"{type(environment).__name__} have none; give the critic 'history'"
            )
        network = MLP(numbers.shape[1], (width, features + 1), key=net_key)
        first, last = network.layers
        mean, deviation = jnp.mean(numbers, 0), jnp.std(numbers, 0)
        # What is the same in all tasks says nothing, and has no deviation to be divided by.
        scale = jnp.where(deviation > 1e-6, 1 / jnp.maximum(deviation, 1e-6), 0.0)
        weight = first.weight * scale[:, None]
        layers = (Linear(weight, first.bias - mean @ weight), jax.tree.map(jnp.zeros_like, last))
        return cls(eqx.tree_at(lambda net: net.layers, network, layers))

    def of(self, task: MDP) -> Linear:
        """V in that MDP."""
        found = self.network(_numbers(task)[None])[0]
        return Linear(found[:-1, None], found[-1:])


def _numbers(task: MDP) -> Float[Array, " n"]:
    """All numbers of a task in one vector; keys are none."""

    def flat(leaf: Any) -> Array:
        leaf = jnp.asarray(leaf)
        keys = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jnp.zeros(0) if keys else leaf.reshape(-1).astype(jnp.float32)

    return jnp.concatenate([jnp.zeros(0), *map(flat, jax.tree.leaves(task))])
