"""Meta-World: a robot's arm that must reach, push or open what it has not met before."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.experiments.family import HostProblem
from quickstudy.experiments.problem import Split
from quickstudy.experiments.problems.bodies import engine

if TYPE_CHECKING:
    from quickstudy.envs.metaworld import RobotTasks


@dataclass(frozen=True)
class MetaWorldFamily(HostProblem):
    """Meta-World's arm; needs the extra `metaworld`, in an environment of its own.

    Its package pins its engine. Scores are rewards, and beside them the share of episodes that
    succeeded at any step, as the benchmark counts.
    """

    name: ClassVar[str] = "metaworld"
    has: ClassVar[str] = "a robot"
    usual_scale: ClassVar[Literal["fixed", "running"]] = "fixed"

    trial_episodes: int = 2
    """n, the number of episodes in a trial."""
    contract: Literal["checked", "trusted"] = "trusted"
    """Whether a few episodes are played before training, to check that tasks arrive, persist and
    differ; quickstudy's own tests check these families."""
    benchmark: Literal["ml1", "ml10", "ml45"] = "ml1"
    """ML1 is one thing to do, with new goals in tests; ML10 and ML45 are ten and 45 things in
    training, and five others in tests."""
    thing: str = "reach-v3"
    """ML1: what is to be done."""

    def family(self, split: Split) -> "RobotTasks":
        """The benchmark's own test tasks; it has none for validation, which meets those of
        training."""
        from quickstudy.envs.metaworld import ml1, ml10, ml45

        own = "test" if split == "test" else "train"
        if self.benchmark == "ml1":
            return ml1(self.thing, own)
        return {"ml10": ml10, "ml45": ml45}[self.benchmark](own)

    def definition(self) -> dict[str, str]:
        """Which benchmark of which version of the package."""
        from importlib.metadata import version

        what = f"ML1 {self.thing}" if self.benchmark == "ml1" else self.benchmark.upper()
        return {"environment": f"Meta-World {version('metaworld')}, {what}", "engine": engine()}
