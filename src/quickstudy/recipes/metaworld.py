"""Meta-World: a robot's arm that must reach, push or open what it has not met before."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.recipes.bodies import MAMLOnBody, OnBody, RL2OnBody, engine
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.metaworld import RobotTasks

SOURCE = "Yu et al., 2019, https://arxiv.org/abs/1910.10897"


@dataclass(frozen=True)
class OnMetaWorld(OnBody):
    """The arm; needs the extra `metaworld`, in an environment of its own (it pins its engine).

    Scores are rewards; the benchmark's own success rates are not reported.
    """

    benchmark: Literal["ml1", "ml10"] = "ml1"
    """One thing to do, with other goals in the test; or ten, and five others in the test."""
    thing: str = "reach-v3"
    """ML1: what is to be done."""

    def family(self, split: Split) -> "RobotTasks":
        """The benchmark's own test tasks; it has none for validation, which meets those of
        training."""
        from quickstudy.envs.metaworld import ml1, ml10

        own = "test" if split == "test" else "train"
        return ml1(self.thing, own) if self.benchmark == "ml1" else ml10(own)

    def definition(self) -> dict[str, str]:
        """Which benchmark of which version of the package."""
        from importlib.metadata import version

        what = f"ML1 {self.thing}" if self.benchmark == "ml1" else "ML10"
        return {"environment": f"Meta-World {version('metaworld')}, {what}", "engine": engine()}


@dataclass(frozen=True)
class RL2MetaWorld(RL2OnBody, OnMetaWorld):
    """RL² with the arm: within two episodes."""

    name: ClassVar[str] = "rl2-metaworld"
    reaches: ClassVar[str] = "no target; not trained to the end yet"
    takes: ClassVar[str] = "days"
    source: ClassVar[str] = SOURCE


@dataclass(frozen=True)
class MAMLMetaWorld(MAMLOnBody, OnMetaWorld):
    """MAML with the arm."""

    name: ClassVar[str] = "maml-metaworld"
    reaches: ClassVar[str] = "no target; not trained to the end yet"
    takes: ClassVar[str] = "days"
    source: ClassVar[str] = SOURCE
