"""What stands beside MAML in 2-D navigation: pre-training and fine-tuning, and memory."""

from dataclasses import dataclass
from typing import ClassVar

from quickstudy.recipes.maml_rl import SOURCE, MAMLNavigation, OnNavigation
from quickstudy.recipes.meta_rl import WithRL2


@dataclass(frozen=True)
class PretrainedNavigation(MAMLNavigation):
    """A policy that is trained in all tasks without adapting, and fine-tuned when it is tested.

    It is the paper's "pretrained" baseline. A step acts once where one of `maml-navigation` acts
    before and after two updates: three times as many steps are as many steps of the environment.
    """

    name: ClassVar[str] = "pretrained-navigation"
    reaches: ClassVar[str] = "a baseline; no target"
    takes: ClassVar[str] = "ten minutes"
    source: ClassVar[str] = SOURCE

    steps: int = 1200
    inner_steps: int = 0


@dataclass(frozen=True)
class RL2Navigation(WithRL2, OnNavigation):
    """RL² in 2-D navigation: a trial is as many episodes as MAML's tests have stages.

    A step of 300 trials of 4 episodes is as many steps of the environment as one of
    `maml-navigation`.
    """

    name: ClassVar[str] = "rl2-navigation"
    reaches: ClassVar[str] = "no target; stands beside maml-navigation"
    takes: ClassVar[str] = "ten minutes; not trained to the end yet"
    source: ClassVar[str] = "Duan et al., 2016, https://arxiv.org/abs/1611.02779"

    steps: int = 400
    episodes: int = 4
    meta_batch: int = 300
    validation_episodes: int = 200
    learning_rate: float = 1e-3
    width: int = 128
    parts: int = 4

    @property
    def test_trials(self) -> int:
        """As many as MAML's, so that all are tested in the same tasks."""
        return 200
