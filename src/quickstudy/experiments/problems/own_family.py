"""A family of MDPs of one's own, from a file: compiled, or of Gymnasium environments."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import BadInput
from quickstudy.experiments.family import FamilyProblem, HostProblem
from quickstudy.experiments.problem import Problem, Split
from quickstudy.experiments.settings import Own

if TYPE_CHECKING:
    from quickstudy.envs.environment import MDPFamily

PARTS = ("make", "sample_task", "set_task", "horizon")
"""What a family of Gymnasium environments has; `make` may take `render_mode`."""


def _made(own: Own) -> Any:
    return own.thing() if isinstance(own.thing, type) else own.thing


@dataclass(frozen=True)
class OwnFamily(FamilyProblem):
    """An Environment of your own, compiled together with the policy."""

    name: ClassVar[str] = "own"

    own: Own = Own("")

    def environment(self, split: Split, copies: int = 1) -> "MDPFamily":
        """The same family in every split."""
        return _made(self.own)

    def data(self) -> str:
        """The file's name for it."""
        return self.own.where


@dataclass(frozen=True)
class OwnHostFamily(HostProblem):
    """Gymnasium environments of your own, with tasks to be put into."""

    name: ClassVar[str] = "own-gymnasium"
    has: ClassVar[str] = "a Gymnasium environment"

    trial_episodes: int = 2
    """n, episodes of a trial."""
    own: Own = Own("")

    def family(self, split: Split) -> Any:
        """The same family in every split."""
        family = _made(self.own)
        return _Rendered(family)

    def unlike(self) -> tuple[Split, ...]:
        """The same family in every split."""
        return ("train",)

    def definition(self) -> dict[str, str]:
        """The file's name for it."""
        return {"environment": getattr(_made(self.own), "definition", self.own.where)}

    def data(self) -> str:
        """The file's name for it."""
        return self.own.where


class _Rendered:
    """A family whose `make` takes a render mode, whether the user's does or not."""

    def __init__(self, family: Any) -> None:
        import inspect

        self.sample_task, self.set_task = family.sample_task, family.set_task
        self.horizon, self._make = family.horizon, family.make
        try:
            known = inspect.signature(self._make).parameters
        except (TypeError, ValueError):  # a class of an extension has none
            known = {}
        self._renders = "render_mode" in known

    def make(self, render_mode: str | None = None) -> Any:
        """One environment."""
        return self._make(render_mode=render_mode) if self._renders else self._make()


def family_of(own: Own) -> Problem | None:
    """A problem made of what stands in a file, if it is a family of MDPs; else `None`.

    Raises:
        BadInput: it is nearly one, and lacks something.
    """
    from quickstudy.envs.environment import Environment

    thing = own.thing
    if isinstance(thing, Environment) or (
        isinstance(thing, type) and issubclass(thing, Environment)
    ):
        return OwnFamily(own=own)
    there = [part for part in PARTS if hasattr(thing, part)]
    if len(there) == len(PARTS):
        return OwnHostFamily(own=own)
    if "sample_task" in there or "set_task" in there:
        missing = ", ".join(part for part in PARTS if part not in there)
        raise BadInput(
            f"{own.where} is a family of environments without {missing}; give it make(), "
            "sample_task(rng), set_task(env, task) and horizon, the most steps of an episode"
        )
    return None
