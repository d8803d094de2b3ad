"""A policy that is trained in all tasks at once, and then adapted to each."""

from dataclasses import dataclass
from typing import ClassVar

from quickstudy.experiments.methods.maml_rl import MAMLPolicyConfig


@dataclass(frozen=True)
class PretrainedPolicyConfig(MAMLPolicyConfig):
    """A policy trained in all tasks without adapting, and fine-tuned in tests: MAML's baseline.

    A step acts once where one of MAML acts before and after each update.
    """

    name: ClassVar[str] = "pretrained"

    inner_steps: int = 0
    """k, updates in training: none."""

    def unread(self) -> frozenset[str]:
        """Without an update in training there is no derivative through one to estimate."""
        return super().unread() | (set() if self.inner_steps else {"estimator"})
