"""The half-cheetah in MuJoCo, which must run at an unseen speed or in an unseen direction."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.bodies import MAMLOnBody, OnRunner, PretrainedOnBody, RL2OnBody
from quickstudy.recipes.maml_rl import SOURCE

if TYPE_CHECKING:
    from quickstudy.envs.mujoco.family import Family


@dataclass(frozen=True)
class OnCheetah(OnRunner):
    """Half-cheetahs."""

    aim: Literal["velocity", "direction"] = "velocity"
    """What a task asks for."""
    version: Literal["maml", "promp", "pearl", "varibad"] = "maml"
    """Whose definition; see `quickstudy.envs.mujoco.cheetah`."""

    def tasks(self) -> "Family":
        """As that paper defines it."""
        from quickstudy.envs.mujoco.cheetah import cheetah

        return cheetah(self.aim, self.version)


@dataclass(frozen=True)
class RL2Cheetah(RL2OnBody, OnCheetah):
    """RL² with a half-cheetah: within two episodes."""

    name: ClassVar[str] = "rl2-cheetah"
    reaches: ClassVar[str] = "no target; not trained to the end yet"
    takes: ClassVar[str] = "hours"
    source: ClassVar[str] = "Zintgraf et al., 2020, https://arxiv.org/abs/1910.08348"


@dataclass(frozen=True)
class MAMLCheetah(MAMLOnBody, OnCheetah):
    """MAML with a half-cheetah, as in the paper."""

    name: ClassVar[str] = "maml-cheetah"
    reaches: ClassVar[str] = "return −78.6 after one update (velocity), 293.2 (direction)"
    takes: ClassVar[str] = "35 minutes on 2 cores (direction reached, 352; velocity −84)"
    source: ClassVar[str] = SOURCE


@dataclass(frozen=True)
class PretrainedCheetah(PretrainedOnBody, OnCheetah):
    """What stands beside MAML with a half-cheetah: pre-training, and who knows the task."""

    name: ClassVar[str] = "pretrained-cheetah"
    reaches: ClassVar[str] = (
        "a baseline; with --sees task the oracle (paper −54.5, velocity; 442.7, direction)"
    )
    takes: ClassVar[str] = "15 minutes on 2 cores (300 steps; the oracle has −55 and 464)"
    source: ClassVar[str] = SOURCE
