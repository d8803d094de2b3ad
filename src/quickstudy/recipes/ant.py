"""The ant in MuJoCo, which must run in an unseen direction, or to an unseen place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.bodies import MAMLOnBody, OnRunner, PretrainedOnBody, RL2OnBody
from quickstudy.recipes.maml_rl import SOURCE

if TYPE_CHECKING:
    from quickstudy.envs.mujoco.family import Family


@dataclass(frozen=True)
class OnAnt(OnRunner):
    """Ants."""

    aim: Literal["direction", "goal"] = "direction"
    """What a task asks for."""
    version: Literal["maml", "pearl"] = "maml"
    """Whose definition; see `quickstudy.envs.mujoco.ant`."""

    def tasks(self) -> "Family":
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
    """MAML with an ant: larger updates than a half-cheetah's, and several steps on each batch.

    An ant is the same backwards: what two opposite directions teach at first order cancels, but for
    what the update changes.
    """

    name: ClassVar[str] = "maml-ant"
    reaches: ClassVar[str] = "return 499.2 after one update (direction)"
    takes: ClassVar[str] = "two hours on a core; not reached yet (183 ± 11)"
    source: ClassVar[str] = SOURCE

    steps: int = 600
    inner_lr: float = 1.0
    outer = "promp"


@dataclass(frozen=True)
class PretrainedAnt(PretrainedOnBody, OnAnt):
    """Beside MAML with an ant: pre-training, fine-tuned at its rate, and who knows the task."""

    name: ClassVar[str] = "pretrained-ant"
    reaches: ClassVar[str] = "a baseline; with --sees task the oracle (paper 524.8, direction)"
    takes: ClassVar[str] = "hours; not trained to the end yet"
    source: ClassVar[str] = SOURCE

    inner_lr: float = 1.0
