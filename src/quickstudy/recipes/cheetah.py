"""The half-cheetah in MuJoCo, which must run at an unseen speed or in an unseen direction."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.on_host import MAMLOnHost, OnHost, RL2OnHost
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.host_family import HostFamily

MOST = 100  # environments that are stepped side by side


@dataclass(frozen=True)
class OnCheetah(OnHost):
    """Half-cheetahs; needs the extra `mujoco`."""

    aim: Literal["velocity", "direction"] = "velocity"
    """What a task asks for."""
    version: Literal["maml", "promp", "varibad"] = "maml"
    """Whose definition; see `quickstudy.envs.mujoco.cheetah`."""

    def side_by_side(self) -> int:
        """How many environments are stepped together."""
        return MOST

    def environment(self, split: Split) -> "HostFamily":
        """Tasks are drawn anew."""
        from quickstudy.envs.mujoco.cheetah import cheetah

        family = cheetah(self.aim, self.version)
        return self.hosted(
            partial(family.make, "rgb_array"),
            family.sample_task,
            family.set_task,
            copies=self.side_by_side(),
            horizon=family.horizon,
        )


@dataclass(frozen=True)
class RL2Cheetah(RL2OnHost, OnCheetah):
    """RL² with a half-cheetah: within two episodes."""

    name: ClassVar[str] = "rl2-cheetah"
    reaches: ClassVar[str] = "no target; not trained to the end yet"
    takes: ClassVar[str] = "hours"
    source: ClassVar[str] = "Zintgraf et al., 2020, https://arxiv.org/abs/1910.08348"

    steps: int = 1000
    episodes: int = 2
    width: int = 128
    learning_rate: float = 1e-3
    parts: int = 4

    def side_by_side(self) -> int:
        """One for each trial of a step."""
        return min(self.meta_batch, MOST)


@dataclass(frozen=True)
class MAMLCheetah(MAMLOnHost, OnCheetah):
    """MAML with a half-cheetah, as in the paper."""

    name: ClassVar[str] = "maml-cheetah"
    reaches: ClassVar[str] = "return −78.6 after one update (velocity), 293.2 (direction)"
    takes: ClassVar[str] = "hours; not trained to the end yet"
    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"

    steps: int = 500
    meta_batch: int = 20
    validation_episodes: int = 20

    def side_by_side(self) -> int:
        """Whole sets of trajectories, of as many tasks as fit."""
        return self.trajectories * max(1, MOST // self.trajectories)
