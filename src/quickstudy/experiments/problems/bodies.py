"""Bodies in MuJoCo that run: the half-cheetah and the ant; needs the extra `mujoco`."""

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.experiments.family import HostProblem
from quickstudy.experiments.problem import Split

if TYPE_CHECKING:
    from quickstudy.envs.mujoco.family import Family


def engine() -> str:
    """MuJoCo, and its version."""
    from quickstudy.envs.mujoco.body import import_mujoco

    return f"MuJoCo {import_mujoco().__version__}, in C on the CPU"


@dataclass(frozen=True)
class BodyFamily(HostProblem):
    """Base: a body that runs. Tasks are drawn anew in every split."""

    has: ClassVar[str] = "a robot"
    usual_scale: ClassVar[Literal["fixed", "running"]] = "fixed"
    apart: ClassVar[frozenset[str]] = HostProblem.apart | {"sees"}

    trial_episodes: int = 2
    """n, the number of episodes in a trial."""
    contract: Literal["checked", "trusted"] = "trusted"
    """Whether a few episodes are played before training, to check that tasks arrive, persist and
    differ; quickstudy's own tests check these families."""
    sees: Literal["body", "task"] = "body"
    """What is observed: the body, so that the task must be inferred, or also the task. A policy
    that sees the task is the oracle of MAML's paper."""

    @abc.abstractmethod
    def tasks(self) -> "Family":
        """The body and its tasks, as a paper defines them."""

    def family(self, split: Split) -> "Family":
        """With what is seen."""
        from quickstudy.envs.mujoco.family import nothing, the_task

        family = replace(self.tasks(), tells={"body": nothing, "task": the_task}[self.sees])
        # Gymnasium's own time limit is as long as the trial's.
        return replace(family, horizon=self.horizon) if self.horizon else family

    def definition(self) -> dict[str, str]:
        """Whose tasks they are, and the engine."""
        return {"environment": self.tasks().definition, "engine": engine()}


@dataclass(frozen=True)
class CheetahFamily(BodyFamily):
    """MuJoCo's half-cheetah, at an unseen speed or in an unseen direction."""

    name: ClassVar[str] = "cheetah"

    aim: Literal["velocity", "direction"] = "velocity"
    """What a task asks for."""
    version: Literal["maml", "promp", "pearl", "varibad"] = "maml"
    """Whose definition; see `quickstudy.envs.mujoco.cheetah`."""

    def tasks(self) -> "Family":
        """As that paper defines it."""
        from quickstudy.envs.mujoco.cheetah import cheetah

        return cheetah(self.aim, self.version)


@dataclass(frozen=True)
class AntFamily(BodyFamily):
    """MuJoCo's ant, in an unseen direction or to an unseen place."""

    name: ClassVar[str] = "ant"

    aim: Literal["direction", "goal"] = "direction"
    """What a task asks for."""
    version: Literal["maml", "pearl"] = "maml"
    """Whose definition; see `quickstudy.envs.mujoco.ant`."""

    def tasks(self) -> "Family":
        """As that paper defines it."""
        from quickstudy.envs.mujoco.ant import ant

        return ant(self.aim, self.version)
