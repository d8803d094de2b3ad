"""MAML for RL in environments that are stepped on the host: collected there, improved as
everywhere."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from quickstudy.envs.environment import Environment
from quickstudy.inner import InnerRule
from quickstudy.mesh import Metrics
from quickstudy.rl.adaptation import Trajectories
from quickstudy.rl.host_adaptation import host_adaptations, host_update_returns
from quickstudy.rl.maml import MAMLRL, MAMLRLState, validated
from quickstudy.rl.reactive import Reactive


class HostMAMLRL(eqx.Module):
    """`MAMLRL` whose tasks are in a `HostFamily`.

    A step's key decides its tasks and all that is drawn, so that a resumed training is the same
    training as far as the environments repeat themselves for the same seed.

    Attributes:
        maml: all settings, and the improvement.

    Example:
        >>> family = HostFamily(poles)  # doctest: +SKIP
        >>> adaptation = Adaptation(family, Rate(0.1), LVC(), trajectories=4)  # doctest: +SKIP
        >>> HostMAMLRL(MAMLRL(policy, adaptation, OuterTrustRegion()))  # doctest: +SKIP
    """

    maml: MAMLRL

    @property
    def environment(self) -> Environment:
        """Where it acts."""
        return self.maml.adaptation.environment

    def init(self) -> MAMLRLState:
        """The state before the first step."""
        return self.maml.init()

    def learned(self, state: MAMLRLState) -> tuple[Reactive, InnerRule]:
        """The policy, and the inner rule, with the parameters of that state."""
        return self.maml.learned(state)

    def update_on_host(
        self, state: MAMLRLState, key: PRNGKeyArray, progress: float
    ) -> tuple[MAMLRLState, Metrics]:
        """Adapt in fresh tasks, act, and improve θ through the adaptation. The key is consumed."""
        maml = self.maml
        stored = host_adaptations(*maml.adapting(state), maml.steps, key, maml.tasks)
        return _improve(maml, state, *stored)

    def validate_on_host(self, state: MAMLRLState, key: PRNGKeyArray) -> Metrics:
        """The mean reward of an episode after adaptation, in tasks that are always the same. The
        key is consumed."""
        maml = self.maml
        returns = host_update_returns(*maml.adapting(state), maml.steps, key, maml.validation_tasks)
        return validated(jnp.asarray(returns))


@eqx.filter_jit
def _improve(
    maml: MAMLRL, state: MAMLRLState, sets: Trajectories, after: Trajectories
) -> tuple[MAMLRLState, Any]:
    return maml.improve(state, sets, after)
