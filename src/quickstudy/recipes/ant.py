"""The ant in MuJoCo, which must run in an unseen direction, or to an unseen place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.bodies import MAMLOnBody, OnBody, RL2OnBody

if TYPE_CHECKING:
    from quickstudy.envs.mujoco.family import Family


@dataclass(frozen=True)
class OnAnt(OnBody):
    """Ants."""

    aim: Literal["direction", "goal"] = "direction"
    """What a task asks for."""
    version: Literal["maml", "pearl"] = "maml"
    """Whose definition; see `quickstudy.envs.mujoco.ant`."""

    def family(self) -> "Family":
        """As that paper defines it."""
        from quickstudy.envs.mujoco.ant import ant

        return ant(self.aim, self.version)


@dataclass(frozen=True)
class RL2Ant(RL2OnBody, OnAnt):
    """RL² with an ant: within two episodes."""

    name: ClassVar[str] = "rl2-ant"
    reaches: ClassVar[str] = "no target; not trained to the end yet"
    takes: ClassVar[str] = "hours"
    source: ClassVar[str] = "Rakelly et al., 2019, https://arxiv.org/abs/1903.08254"


@dataclass(frozen=True)
class MAMLAnt(MAMLOnBody, OnAnt):
    """MAML with an ant."""

    name: ClassVar[str] = "maml-ant"
    reaches: ClassVar[str] = "return 499.2 after one update (direction)"
    takes: ClassVar[str] = "hours; not trained to the end yet"
    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"
