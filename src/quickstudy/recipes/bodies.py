"""What recipes share that train policies in a simulated body: all but which body it is."""

import abc
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from quickstudy.recipes.on_host import MAMLOnHost, OnHost, RL2OnHost
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.host_family import HostFamily
    from quickstudy.envs.mujoco.family import Family

MOST = 100  # environments that are stepped side by side


@runtime_checkable
class Simulations(Protocol):
    """A family of tasks for a body, as `mujoco.family.Family` and `metaworld.RobotTasks` are."""

    @property
    def horizon(self) -> int:
        """The most steps of an episode."""
        ...

    def make(self, render_mode: str | None = None) -> Any:
        """One `gymnasium.Env`."""
        ...

    def sample_task(self, rng: Any, /) -> Any:
        """M_i ~ p(M)."""
        ...

    def set_task(self, env: Any, task: Any) -> None:
        """Put an environment into a task."""
        ...


def engine() -> str:
    """MuJoCo, and its version."""
    from quickstudy.envs.mujoco.body import import_mujoco

    return f"MuJoCo {import_mujoco().__version__}, in C on the CPU"


@dataclass(frozen=True)
class OnBody(OnHost):
    """Act in a body. A recipe says in which, by `family`."""

    horizon: int = 0
    """The most steps of an episode; 0 for as many as in the definition."""

    @abc.abstractmethod
    def family(self, split: Split) -> Simulations:
        """The body and its tasks."""

    def side_by_side(self) -> int:
        """How many environments are stepped together."""
        return MOST

    def environment(self, split: Split) -> "HostFamily":
        """The tasks of the split."""
        family = self.family(split)
        return self.hosted(
            partial(family.make, "rgb_array"),
            family.sample_task,
            family.set_task,
            copies=self.side_by_side(),
            horizon=self.horizon or family.horizon,
        )


@dataclass(frozen=True)
class OnRunner(OnBody):
    """Act in a body that runs; needs the extra `mujoco`. Tasks are drawn anew in every split."""

    sees: Literal["body", "task"] = "body"
    """What is observed: the body, whose task must be found out, or also the task. A policy that
    sees the task is the oracle of MAML's paper."""

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
class RL2OnBody(RL2OnHost, OnBody):
    """RL² in a body: within two episodes."""

    steps: int = 1000
    episodes: int = 2
    width: int = 128
    learning_rate: float = 1e-3
    parts: int = 4

    def side_by_side(self) -> int:
        """One for each trial of a step."""
        return min(self.meta_batch, MOST)


@dataclass(frozen=True)
class MAMLOnBody(MAMLOnHost, OnBody):
    """MAML in a body: the paper's tasks and batches, with small updates at first order.

    A half-cheetah that is to run either way has a return of 155 after 50 steps at first order and
    107 with LVC; at the paper's rate of 0.1 it has 35 and 23 after 60.
    """

    steps: int = 500
    meta_batch: int = 20
    validation_episodes: int = 20
    inner_lr: float = 0.01
    later_lr: float = 0.003
    estimator = "first-order"
    decay: float = 0.95

    def side_by_side(self) -> int:
        """Whole sets of trajectories, of as many tasks as fit."""
        return self.trajectories * max(1, MOST // self.trajectories)


@dataclass(frozen=True)
class PretrainedOnBody(MAMLOnBody):
    """A policy that is trained in all tasks without adapting, and fine-tuned when it is tested.

    A step acts once where one of MAML acts before and after an update: twice as many steps are as
    many steps of the engine. With `--sees task` it is the oracle, which needs no updates.
    """

    steps: int = 1000
    inner_steps: int = 0
