"""A family of MDPs of one's own, from a file: compiled, or of Gymnasium environments."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from quickstudy.errors import BadInput
from quickstudy.experiments.family import FamilyProblem, HostProblem, way_round
from quickstudy.experiments.method import TEST_SEED
from quickstudy.experiments.problem import Problem, Source, Split
from quickstudy.experiments.problems.own_digest import digest, is_of
from quickstudy.experiments.problems.own_tasks import in_a_row, places, told
from quickstudy.experiments.settings import KEPT, Own, made

if TYPE_CHECKING:
    import numpy as np

    from quickstudy.envs.environment import MDPFamily


FIRST = 8
"""So many tasks tell one distribution from another."""


def with_settings(found: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What decides tasks, with further settings."""
    return {**found, "settings": {**found["settings"], **own}}


def _made(own: Own) -> Any:
    return made(own) if isinstance(own.thing, type) else own.thing


@dataclass(frozen=True)
class OwnFamily(FamilyProblem):
    """An Environment of your own, compiled together with the policy."""

    name: ClassVar[str] = "own"
    apart: ClassVar[frozenset[str]] = FamilyProblem.apart | {"contract"}

    own: Own = Own("")
    contract: Literal["checked", "trusted"] = "checked"
    """Whether a few episodes are played before training, to check that rewards are finite and tasks
    differ. `trusted` plays none: for tasks that differ too rarely for random actions to show it."""

    def demand_contract(self, copies: int) -> None:
        """Play a few episodes by `quickstudy.testing.check_environment`."""
        from quickstudy.testing.environment_check import check_environment
        from quickstudy.testing.properties import ConformanceError

        if self.contract == "checked":
            try:
                check_environment(_made(self.own))
            except ConformanceError as error:
                raise BadInput(f"{self.data()}: {way_round(error)}") from error

    def environment(self, split: Split, copies: int | None = None) -> "MDPFamily":
        """The same family in every split."""
        from quickstudy.envs.compiled_door import demand_declared

        return demand_declared(_made(self.own))

    def test_tasks(self, split: Split) -> dict[str, Any]:
        """With the horizon and the first tasks: the file may have been edited."""
        import jax

        family: Any = self.environment(split)
        keys = jax.random.split(jax.random.key(TEST_SEED), FIRST)
        tasks = jax.tree.leaves([family.sample(key) for key in keys])
        own = {"horizon": family.horizon, "first_tasks": digest([_numbers(x) for x in tasks])}
        return with_settings(super().test_tasks(split), own)

    def data(self, split: Split = "test") -> str:
        """The file's name for it."""
        return self.own.where


def _numbers(part: Any) -> "np.ndarray":
    """A part of a task, which may be a key."""
    import jax
    import numpy as np

    typed = jax.numpy.issubdtype(part.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(part) if typed else part)


@dataclass(frozen=True)
class OwnHostFamily(HostProblem):
    """Gymnasium environments of your own, each of which is set to a task."""

    name: ClassVar[str] = "own-gymnasium"
    has: ClassVar[str] = "a Gymnasium environment"
    apart: ClassVar[frozenset[str]] = HostProblem.apart | {"train", "validation", "listed"}

    trial_episodes: int = 2
    """n, the number of episodes in a trial."""
    own: Own = Own("")
    train: tuple[int, ...] = field(default=(), metadata=KEPT)
    """Places of the training tasks in the list."""
    validation: tuple[int, ...] = field(default=(), metadata=KEPT)
    """Places of the validation tasks; with none, those of training."""
    test: tuple[int, ...] = field(default=(), metadata=KEPT)
    """Places of the test tasks."""
    listed: str = field(default="", metadata=KEPT)
    """A short name for the list: another list, or another order, has another name."""

    def prepared(self, source: Source) -> Self:
        """With every task in one split, as a run keeps it, where tasks are listed.

        Raises:
            BadInput: see `quickstudy.experiments.problems.own_tasks.places`.
        """
        if (listed := self._listed()) is None or self.train:
            return self
        found = places(listed, self.own.where)
        return replace(self, **found, listed=digest(in_a_row(listed, self.own.where)))

    def family(self, split: Split) -> Any:
        """The same in every split.

        Raises:
            BadInput: the list is divided otherwise than when the run began.
        """
        family = _made(self.own)
        if (listed := self._listed()) is None:
            return family
        found = places(listed, self.own.where)
        if self.train and found != {name: getattr(self, name) for name in found}:
            raise BadInput(
                f"{self.own.where} lists {sum(map(len, found.values()))} tasks, of which "
                f"{len(found['test'])} are for tests; it did not when this run divided them: list "
                "the same tasks, or begin a new run"
            )
        tasks = in_a_row(listed, self.own.where)
        if not is_of(self.listed, tasks):
            raise BadInput(
                f"{self.own.where} lists other tasks than when this run divided them, or in a new "
                "order, so that tests might meet what was trained on; list the same tasks, or "
                "begin a new run"
            )
        return family

    def unlike(self) -> tuple[Split, ...]:
        """The same family in every split, unless tasks are listed."""
        return ("train",) if self._listed() is None else super().unlike()

    def notes(self) -> list[str]:
        """Which task is in which split; the run's recipe.json keeps it."""
        if (listed := self._listed()) is None:
            return super().notes()
        tasks, splits = in_a_row(listed, self.own.where), ("train", "validation", "test")
        found = [
            told(tasks, split, getattr(self, split)) for split in splits if getattr(self, split)
        ]
        alone = [] if self.validation else ["validation: the tasks of training"]
        return [*super().notes(), *found, *alone]

    def test_tasks(self, split: Split) -> dict[str, Any]:
        """With the horizon, and the listed tasks or the first that are drawn: the file may have
        been edited."""
        from quickstudy.envs.host import draw_task

        family = self.whole(split)
        own: dict[str, Any] = {"horizon": self.longest(family)}
        if (listed := getattr(family.sample_task, "tasks", None)) is not None:
            own |= {"listed": len(listed), "listed_tasks": digest(listed)}
        else:
            drawn = [draw_task(family.sample_task, TEST_SEED, n) for n in range(FIRST)]
            own["first_tasks"] = digest(drawn)
        return with_settings(super().test_tasks(split), own)

    def _listed(self) -> Any:
        """The family's tasks where it lists them; `None` if it draws them."""
        from quickstudy.experiments.whole_family import listed_in

        return listed_in(_made(self.own))

    def definition(self) -> dict[str, str]:
        """The file's name for it."""
        return {"environment": getattr(_made(self.own), "definition", self.own.where)}

    def data(self, split: Split = "test") -> str:
        """The file's name for it."""
        return self.own.where


def family_of(own: Own) -> Problem | None:
    """A problem made of what stands in a file, if it is a family of MDPs; else `None`.

    Raises:
        BadInput: it is nearly one, and lacks something.
    """
    from quickstudy.envs.environment import Environment
    from quickstudy.experiments.whole_family import DRAWS, demand_parts

    thing = own.thing
    if isinstance(thing, Environment) or (
        isinstance(thing, type) and issubclass(thing, Environment)
    ):
        return OwnFamily(own=own)
    if isinstance(thing, type) and hasattr(thing, "make") and hasattr(thing, "set_task"):
        thing = _made(own)  # `horizon` or `tasks` may be set where it is made
    if all(getattr(thing, name, None) is not None for name in DRAWS):
        raise BadInput(
            f"{own.where} has sample_task and tasks, and tasks come from one of them; leave out "
            "tasks, which would be drawn from nowhere, or sample_task"
        )
    if not (hasattr(thing, "sample_task") or hasattr(thing, "set_task")):
        return None
    demand_parts(thing, f"{own.where} is a family of environments")
    return OwnHostFamily(own=own)
