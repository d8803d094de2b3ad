"""RL² in environments that are stepped on the host: collected there, improved as everywhere."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from quickstudy.envs.environment import Environment
from quickstudy.errors import BadInput
from quickstudy.mesh import Metrics
from quickstudy.rl.host_rollout import host_rollouts
from quickstudy.rl.policy import MetaPolicy
from quickstudy.rl.rl2 import RL2, RL2State


class HostRL2(eqx.Module):
    """`RL2` whose trials are in a `HostFamily`.

    A step's key decides its tasks and all that is drawn, so that a resumed training is the same
    training as far as the environments repeat themselves for the same seed.

    Attributes:
        rl2: all settings, and the improvement.

    Raises:
        BadInput: several MDPs in a row, which is for compiled families only.

    Example:
        >>> HostRL2(RL2(policy, trial, PPO(optax.adam(3e-3)), 64, 64))  # doctest: +SKIP
    """

    rl2: RL2

    def __check_init__(self) -> None:
        if self.rl2.in_a_row != 1:
            raise BadInput(
                f"in_a_row is {self.rl2.in_a_row}; on the host every trial begins with a fresh "
                "memory: give 1"
            )

    @property
    def environment(self) -> Environment:
        """Where it acts."""
        return self.rl2.trial.environment

    def init(self) -> RL2State:
        """The state before the first step."""
        return self.rl2.init()

    def learned(self, state: RL2State) -> MetaPolicy:
        """The policy with the parameters of that state."""
        return self.rl2.learned(state)

    def update_on_host(
        self, state: RL2State, key: PRNGKeyArray, progress: float
    ) -> tuple[RL2State, Metrics]:
        """Collect trials with π_θ, and improve it on them. The key is consumed."""
        rl2 = self.rl2
        paths = host_rollouts(self.learned(state), rl2.trial, key, rl2.trials, parts=rl2.parts)
        return _improve(rl2, state, jax.tree.map(lambda x: x[:, None], paths))

    def validate_on_host(self, state: RL2State, key: PRNGKeyArray) -> Metrics:
        """The mean reward of a trial in MDPs that are always the same. The key is consumed."""
        rl2 = self.rl2
        paths = host_rollouts(self.learned(state), rl2.trial, key, rl2.validation_trials)
        mean = jnp.asarray(np.mean(np.sum(paths.reward, -1)))
        return {"return": mean, "score": mean}


@eqx.filter_jit
def _improve(rl2: RL2, state: RL2State, paths: Any) -> tuple[RL2State, Metrics]:
    return rl2.improve(state, paths)
