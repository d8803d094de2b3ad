"""What recipes share that train policies in a body in MuJoCo: all but which body it is."""

import abc
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from quickstudy.recipes.on_host import MAMLOnHost, OnHost, RL2OnHost
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.host_family import HostFamily
    from quickstudy.envs.mujoco.family import Family

MOST = 100  # environments that are stepped side by side


@dataclass(frozen=True)
class OnBody(OnHost):
    """Act in a body; needs the extra `mujoco`. A recipe says in which, by `family`."""

    horizon: int = 0
    """The most steps of an episode; 0 for as many as in the definition, 200."""

    @abc.abstractmethod
    def family(self) -> "Family":
        """The body and its tasks."""

    def engine(self) -> dict[str, str]:
        """MuJoCo, and its version."""
        from quickstudy.envs.mujoco.body import import_mujoco

        return {"engine": f"MuJoCo {import_mujoco().__version__}, in C on the CPU"}

    def side_by_side(self) -> int:
        """How many environments are stepped together."""
        return MOST

    def environment(self, split: Split) -> "HostFamily":
        """Tasks are drawn anew."""
        family = self.family()
        if self.horizon:
            family = replace(family, horizon=self.horizon)
        return self.hosted(
            partial(family.make, "rgb_array"),
            family.sample_task,
            family.set_task,
            copies=self.side_by_side(),
            horizon=family.horizon,
        )


@dataclass(frozen=True)
class RL2OnBody(RL2OnHost, OnBody):
    """RL² in a body: within two episodes."""

    steps: int = 1000
    episodes: int = 2
    width: int = 128
    learning_rate: float = 1e-3
    parts: int = 4

    def side_by_side(self) -> int:
        """One for each trial of a step."""
        return min(self.meta_batch, MOST)


@dataclass(frozen=True)
class MAMLOnBody(MAMLOnHost, OnBody):
    """MAML in a body, as in the paper."""

    steps: int = 500
    meta_batch: int = 20
    validation_episodes: int = 20

    def side_by_side(self) -> int:
        """Whole sets of trajectories, of as many tasks as fit."""
        return self.trajectories * max(1, MOST // self.trajectories)
