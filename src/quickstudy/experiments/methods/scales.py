"""In which scale policies see and are paid, as choices of `--scale`."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.envs.environment import MDPFamily
    from quickstudy.rl.scale import Scale


@dataclass(frozen=True)
class ScaleConfig(Choice):
    """Base: in which scale a policy sees and is paid."""

    @abc.abstractmethod
    def build(self, family: "MDPFamily") -> "Scale":
        """The scale before the first step."""


@dataclass(frozen=True)
class FixedScaleConfig(ScaleConfig):
    """Observations and rewards as they are."""

    name: ClassVar[str] = "fixed"

    def build(self, family: "MDPFamily") -> "Scale":
        """Nothing changes."""
        from quickstudy.rl.scale import Fixed

        return Fixed()


@dataclass(frozen=True)
class RunningScaleConfig(ScaleConfig):
    """By running statistics, which are kept in the policy."""

    name: ClassVar[str] = "running"

    def build(self, family: "MDPFamily") -> "Scale":
        """No statistics yet."""
        from quickstudy.rl.scale import Running

        return Running.of(family)


BEFORE: dict[str, Any] = {"scale": {"name": "fixed"}}
"""What it was in files that do not say it."""


def usual_scale(problem: Problem) -> ScaleConfig:
    """Where none is asked for: running in families of one's own on the host, whose observations
    may be of any size."""
    running = isinstance(problem, FamilyProblem) and problem.usual_scale == "running"
    return RunningScaleConfig() if running else FixedScaleConfig()
