"""RL² on its own paper's families: bandits and tabular MDPs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.meta_rl import MetaRL, WithRL2
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.bandit import Bandit
    from quickstudy.envs.tabular import TabularMDP

SOURCE = "Duan et al., 2016, https://arxiv.org/abs/1611.02779"


@dataclass(frozen=True)
class OnBandits(MetaRL):
    """Bernoulli bandits; an episode is a pull."""

    arms: int = 5
    """k."""

    def environment(self, split: Split) -> "Bandit":
        """The same distribution in every split; its bandits are never met twice."""
        from quickstudy.envs.bandit import Bandit

        return Bandit(self.arms)


@dataclass(frozen=True)
class OnTables(MetaRL):
    """Random tabular MDPs of 10 states, 5 actions and 10 steps."""

    def environment(self, split: Split) -> "TabularMDP":
        """The same distribution in every split; its MDPs are never met twice."""
        from quickstudy.envs.tabular import TabularMDP

        return TabularMDP()


@dataclass(frozen=True)
class RL2Bandit(WithRL2, OnBandits):
    """RL² on Bernoulli bandits: which arm pays best must be found out by pulling."""

    name: ClassVar[str] = "rl2-bandit"
    reaches: ClassVar[str] = "total reward 6.66 in 10 pulls of 5 arms (the optimum; RL² 6.7)"
    takes: ClassVar[str] = "a minute"
    source: ClassVar[str] = SOURCE

    steps: int = 400


@dataclass(frozen=True)
class RL2Tabular(WithRL2, OnTables):
    """RL² on random tabular MDPs."""

    name: ClassVar[str] = "rl2-tabular"
    reaches: ClassVar[str] = "total reward 156.2 in 10 episodes"
    takes: ClassVar[str] = "half an hour"
    source: ClassVar[str] = SOURCE

    steps: int = 1000
    width: int = 128
