"""Families of MDPs as problems: where policies act, and the oracles that stand beside a score."""

import abc
import logging
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import RAISED, BadInput, demand_counts, demand_positive, said_by
from quickstudy.experiments.problem import Problem, Split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quickstudy.envs.environment import MDPFamily
    from quickstudy.evaluation.trials import Reference
    from quickstudy.rl.trial import Trial
    from quickstudy.testing.properties import ConformanceError

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class FamilyProblem(Problem):
    """Base of the problems of MDPs. A trial is several episodes in one of them."""

    at_test: ClassVar[dict[str, str]] = {"trial_episodes": "trial_episodes"}
    apart: ClassVar[frozenset[str]] = frozenset({"trial_episodes"})

    usual_scale: ClassVar[Literal["fixed", "running"]] = "fixed"
    """In which scale policies see it, where `--scale` does not say it."""

    trial_episodes: int = 10
    """n, the number of episodes in a trial."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(trial_episodes=self.trial_episodes)

    @abc.abstractmethod
    def environment(self, split: Split, copies: int | None = None) -> "MDPFamily":
        """The family of MDPs of a split.

        Args:
            split: whose MDPs.
            copies: how many are stepped side by side, where they are stepped on the host; `None`
                to be told of the family alone, of which nothing stays open.
        """

    def trial(
        self,
        split: Split,
        copies: int | None = None,
        episodes: int | None = None,
        in_a_row: int = 1,
    ) -> "Trial":
        """What a policy acts in; arguments as `environment` and `quickstudy.Trial` have them."""
        from quickstudy.rl.trial import Trial

        return Trial(self.environment(split, copies), episodes or self.trial_episodes, in_a_row)

    def definition(self) -> dict[str, str]:
        """Which environment it is, and what else a score depends on, as evaluations note it."""
        return {"environment": self.environment("test").definition}

    def reads(self) -> str:
        """Observations and actions."""
        environment = self.environment("test")
        seen = "×".join(map(str, environment.observation_shape)) or "nothing"
        return f"observations of {seen} and actions {environment.actions}"

    def states(self) -> int | None:
        """How many states there are, if they are observed one-hot; `None` if they are not."""
        return None

    def oracles(self, trial: "Trial") -> "Mapping[str, Reference]":
        """Whose scores stand beside a policy's in such a trial, besides random actions."""
        return {}

    def planners(self, trial: "Trial") -> "Mapping[str, Reference]":
        """Oracles that plan over a whole trial: they count its episodes, not updates."""
        return {}

    def random(self, trial: "Trial") -> "Reference":
        """Random actions."""
        from quickstudy.evaluation.trials import acting
        from quickstudy.oracles.simple import Random

        return acting(Random(trial.environment), trial)

    @contextmanager
    def closing(self, host: Any) -> "Iterator[None]":
        """Ends what the host runs when the block ends; compiled families have none."""
        yield

    def demand_contract(self, copies: int) -> None:
        """Refuse a family in which training cannot work, before it begins.

        Args:
            copies: how many are stepped side by side, where they are stepped on the host.

        Raises:
            BadInput: says what to mend.
        """

    def picture(self, watched: "Watching", path: Any) -> Any:
        """Show a trial as a picture; see `Watching`."""
        return watched.compiled(path)

    @property
    def test_trials(self) -> int:
        """How many test trials, or tasks, where no number is asked for."""
        return 1000


def way_round(error: "ConformanceError") -> str:
    """What a check has found, and how to train all the same where that can be."""
    # What raised an error would do so in training, too.
    failed = not isinstance(error.__cause__, AssertionError)
    if failed or error.broken in ("returned", "closing"):
        return str(error)
    return f"{error}. To train without this check, give --contract trusted"


@dataclass(frozen=True)
class Watching:
    """The two ways in which a trial becomes a picture.

    Attributes:
        compiled: draws the states of a compiled environment.
        filmed: films an environment on the host with its own camera.
    """

    compiled: Callable[[Any], Any]
    filmed: Callable[[Any], Any]


@dataclass(frozen=True)
class HostProblem(FamilyProblem):
    """Base of the families that are stepped on the host. A problem says which, by `family`."""

    usual_scale: ClassVar[Literal["fixed", "running"]] = "running"

    horizon: int = 0
    """Maximum number of steps in an episode; with 0, as many as the environment's definition
    says."""
    copies: int = 100
    """Maximum number of environments that are open and stepped side by side."""
    processes: int = 0
    """Worker processes that step the environments; with 0, the training process steps them."""
    patience: float = 60.0
    """Seconds that a worker process may take for a step or a reset of its environments."""
    starting: float = 120.0
    """Seconds that a worker process may take to import its packages and make an environment."""
    contract: Literal["checked", "trusted"] = "checked"
    """Whether a few episodes are played before training, to check that tasks arrive, persist and
    differ. `trusted` plays none: for tasks that differ too late or too rarely for random actions to
    show it."""
    stepping: ClassVar[tuple[str, ...]] = ("copies", "processes", "patience", "starting")
    at_test: ClassVar[dict[str, str]] = {
        **FamilyProblem.at_test,
        **{name: name for name in stepping},
    }
    apart: ClassVar[frozenset[str]] = FamilyProblem.apart | {*stepping, "contract"}

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(copies=self.copies)
        demand_positive(patience=self.patience, starting=self.starting)

    def unread(self) -> dict[str, str]:
        """What is set for worker processes alone."""
        why = "it is for worker processes, and --processes is 0"
        return {} if self.processes else {"patience": why, "starting": why}

    @abc.abstractmethod
    def family(self, split: Split) -> Any:
        """An object, or a class that is made without arguments, with `make(render_mode)`, which may
        leave that out, `sample_task(rng)` or listed `tasks`, `set_task(env, task)` and `horizon`:
        see `quickstudy.envs.mujoco.family.Family`. One that has `make_vector(copies)` and
        `set_tasks(vector, tasks)`, too, is stepped by these."""

    def whole(self, split: Split) -> Any:
        """The family of a split, with what it may leave out."""
        from quickstudy.experiments.whole_family import WholeFamily

        return WholeFamily(self.family(split), split, f"{type(self).__name__}.family({split!r})")

    def environment(self, split: Split, copies: int | None = None) -> "MDPFamily":
        """Copies of the family, in as many processes as are asked for."""
        from functools import partial

        from quickstudy.envs.host import HostEnvironment
        from quickstudy.envs.host_family import HostFamily
        from quickstudy.envs.workers import HostWorkers, Patience

        family = self.whole(split)
        # No picture is taken but by `play`, which asks for another mode: see `Filmed`.
        make = partial(family.make, render_mode=None)
        at_once = min(copies or 1, self.copies)
        made = (make, family.sample_task, family.set_task, at_once, self.longest(family))
        if copies is None:
            with HostEnvironment(*made) as host:
                host.spaces  # noqa: B018  # which it knows from now on
            return HostFamily(host)
        if hasattr(family, "make_vector"):
            return HostFamily(self._vector(family, at_once))
        if self.processes == 0:
            return HostFamily(HostEnvironment(*made))
        patience = Patience(self.patience, self.starting)
        return HostFamily(HostWorkers(*made, processes=self.processes, patience=patience))

    def _vector(self, family: Any, copies: int) -> Any:
        """So many copies that step together, by the family's own `make_vector` and `set_tasks`."""
        from functools import partial

        from quickstudy.envs.vector import HostVector

        if self.processes:
            raise BadInput(
                f"{self.data()} makes its copies by make_vector, and --processes {self.processes} "
                "would not be read; leave it out, or leave out make_vector"
            )
        if not hasattr(family, "set_tasks"):
            raise BadInput(
                f"{self.data()} has make_vector and no set_tasks; give set_tasks(vector, tasks), "
                "which puts all copies into their tasks"
            )
        make = partial(family.make_vector, copies)
        horizon = self.longest(family)
        return HostVector(make, family.sample_task, family.set_tasks, copies, horizon)

    def longest(self, family: Any) -> int:
        """The most steps of an episode.

        Raises:
            BadInput: nobody says it.
        """
        horizon = self.horizon or family.horizon
        if not isinstance(horizon, Integral) or horizon < 1:
            raise BadInput(
                f"the horizon of {self.data()} is {horizon!r}; give the most steps of an episode, "
                "a whole number of 1 or more, in the family or by --horizon"
            )
        return int(horizon)

    def demand_contract(self, copies: int) -> None:
        """Play a few episodes of every split by `quickstudy.testing.check_family`."""
        from functools import partial

        from quickstudy.testing.family_check import check_family, check_vector
        from quickstudy.testing.properties import ConformanceError

        beside = min(2, -(-min(copies, self.copies) // max(self.processes, 1)))  # in one process
        for split in self.unlike() if self.contract == "checked" else ():
            family = self.whole(split)
            functions = partial(family.make, render_mode=None), family.sample_task, family.set_task
            horizon = self.longest(family)
            # A split of one task has no other to differ from.
            alone = len(getattr(family.sample_task, "tasks", "many")) == 1
            less = ("tasks", "reset") if alone else ()
            try:
                check_family(*functions, horizon, copies=beside, except_for=less)
                # One without `set_tasks` is refused when its copies are made.
                if beside > 1 and all(hasattr(family, has) for has in ("make_vector", "set_tasks")):
                    vector = family.make_vector, family.sample_task, family.set_tasks
                    check_vector(*vector, horizon, except_for=less)
            except ConformanceError as error:
                raise BadInput(f"{self.data()}, split {split}: {way_round(error)}") from error

    def unlike(self) -> tuple[Split, ...]:
        """One of all splits that have the same family."""
        return ("train", "validation", "test")

    @contextmanager
    def closing(self, host: Any) -> "Iterator[None]":
        """Closes the host. One that fails to close ends nothing: what was measured is kept."""
        try:
            yield
        finally:
            try:
                host.close()
            except RAISED as error:
                LOG.warning("%s: an environment failed to close: %s", self.data(), said_by(error))

    def picture(self, watched: Watching, path: Any) -> Any:
        """A film."""
        return watched.filmed(path)

    @property
    def test_trials(self) -> int:
        """They cost more than compiled ones."""
        return 200
