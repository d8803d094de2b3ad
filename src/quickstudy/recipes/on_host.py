"""RL² in environments that are stepped on the host: what their recipes share."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quickstudy.recipes.meta_rl import WithRL2
from quickstudy.recipes.recipe import Source, Split, Trainer

if TYPE_CHECKING:
    from quickstudy.envs.host import HostFamily
    from quickstudy.rl.policy import MetaPolicy


@dataclass(frozen=True)
class OnHost(WithRL2):
    """RL² with trials on the host. A recipe says which, by `environment`, and is done."""

    meta_batch: int = 64
    """Trials per step; the host steps as many environments side by side as it has copies."""
    validation_episodes: int = 64
    validate_every: int = 20

    @abc.abstractmethod
    def environment(self, split: Split) -> "HostFamily":
        """The family of MDPs of a split."""

    def training(self, source: Source | None = None) -> Trainer:
        """Collect on the host, and improve."""
        import jax

        from quickstudy.rl.host_rl2 import HostRL2
        from quickstudy.training import fit

        def train(**where: Any) -> "MetaPolicy":
            key = jax.random.key(self.seed + 1)
            return fit(HostRL2(self.algorithm()), self.plan(), key=key, **where).best

        return train

    @property
    def test_trials(self) -> int:
        """Test trials: they cost more than compiled ones."""
        return 200
