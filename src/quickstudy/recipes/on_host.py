"""Recipes of policies in environments that are stepped on the host: what they share."""

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quickstudy.recipes.meta_rl import MetaRL, WithRL2
from quickstudy.recipes.recipe import Source, Split, Trainer

if TYPE_CHECKING:
    from quickstudy.envs.host_family import HostFamily
    from quickstudy.rl.policy import MetaPolicy


@dataclass(frozen=True)
class OnHost(MetaRL):
    """Act on the host. A recipe says where, by `environment`, and is done."""

    processes: int = 0
    """Worker processes that step the environments; 0 steps them in the process that trains."""

    @abc.abstractmethod
    def environment(self, split: Split) -> "HostFamily":
        """The family of MDPs of a split."""

    def hosted(
        self,
        make: Callable[[], Any],
        sample_task: Callable[[Any], Any],
        set_task: Callable[[Any, Any], None],
        *,
        copies: int,
        horizon: int,
    ) -> "HostFamily":
        """A family in as many processes as the recipe says; see `HostEnvironment`."""
        from quickstudy.envs.host import HostEnvironment
        from quickstudy.envs.host_family import HostFamily
        from quickstudy.envs.workers import HostWorkers

        made = (make, sample_task, set_task, copies, horizon)
        if self.processes == 0:
            return HostFamily(HostEnvironment(*made))
        return HostFamily(HostWorkers(*made, processes=self.processes))

    @property
    def test_trials(self) -> int:
        """Test trials: they cost more than compiled ones."""
        return 200


@dataclass(frozen=True)
class RL2OnHost(WithRL2, OnHost):
    """RL² with trials on the host."""

    meta_batch: int = 64
    """Trials per step; the host steps as many environments side by side as it has copies."""
    validation_episodes: int = 64
    validate_every: int = 20

    def training(self, source: Source | None = None) -> Trainer:
        """Collect on the host, and improve."""
        import jax

        from quickstudy.rl.host_rl2 import HostRL2
        from quickstudy.training import fit

        def train(**where: Any) -> "MetaPolicy":
            key = jax.random.key(self.seed + 1)
            return fit(HostRL2(self.algorithm()), self.plan(), key=key, **where).best

        return train
