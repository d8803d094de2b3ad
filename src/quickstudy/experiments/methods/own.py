"""A learner of one's own as a method: `quickstudy train FILE.py:NAME --on PROBLEM`."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from quickstudy.errors import BadInput
from quickstudy.experiments.method import LearnerMethod, Method
from quickstudy.experiments.problem import ExampleProblem
from quickstudy.experiments.settings import Own, made


@dataclass(frozen=True)
class OwnLearnerConfig(LearnerMethod):
    """A learner of your own: a class that extends quickstudy.Learner.

    If its first field is `model`, it gets a network with one output for each class or target;
    another first field without a default gets a network that makes features.
    """

    name: ClassVar[str] = "own"
    source: ClassVar[str] = "your own"

    own: Own = Own("")

    @property
    def needed(self) -> list[str]:
        """The fields that must be given."""
        return [
            field.name
            for field in dataclasses.fields(self.own.thing)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]

    def unread(self) -> frozenset[str]:
        """The network, where no field takes one."""
        return super().unread() | (set() if self.needed else {"network"})

    def learner(self, problem: ExampleProblem, seed: int) -> Any:
        """The class, with its network and the problem's loss."""
        needed = self.needed
        if len(needed) > 1:
            raise BadInput(
                f"{self.own.where} needs {', '.join(needed)}; give all fields but the network a "
                "default, or write a method: a frozen dataclass that extends "
                "quickstudy.LearnerMethod, with learner(problem, seed)"
            )
        if not needed:
            return made(self.own, loss=problem.loss)
        network = (
            self.model(problem, seed) if needed[0] == "model" else self.features(problem, seed)[0]
        )
        return made(self.own, network, loss=problem.loss)


def method_of(own: Own) -> Method:
    """A method made of what stands in a file: a method, or the class of a learner.

    Raises:
        BadInput: it is neither.
    """
    from quickstudy.learners.learner import Learner

    thing = own.thing
    if isinstance(thing, Method):
        return thing
    if isinstance(thing, type) and issubclass(thing, Method):
        return made(own)
    if isinstance(thing, type) and issubclass(thing, Learner):
        return OwnLearnerConfig(own=own)
    raise BadInput(
        f"{own.where} is {thing!r}; give a recipe, a method (a frozen dataclass that extends "
        "quickstudy.LearnerMethod or PolicyMethod), or a class that extends quickstudy.Learner"
    )
