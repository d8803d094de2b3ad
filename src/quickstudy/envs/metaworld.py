"""A robot's arm that must do what it has not done before: Meta-World's ML1, ML10 and ML45.

The package `metaworld` 3.1.1 asks for exactly MuJoCo 3.3.0, while the tests of quickstudy run with
4.0.0: the two do not fit into one environment, and `pip install 'quickstudy[metaworld]'` brings the
older engine. So the tests hold this adapter against a stub of the package's interface; further ones
ask the package itself, and are skipped where it is not installed.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32

from quickstudy.envs.closing import close_all
from quickstudy.envs.gymnasium_env import import_gymnasium, in_gymnasium
from quickstudy.envs.host import HostEnvironment
from quickstudy.errors import BadInput, QuickstudyError


@dataclass(frozen=True)
class Manipulation:
    """One task.

    Attributes:
        name: what is to be done, as "reach-v3".
        number: which of its goals, from 0, in its split.
        task: the package's own, whose goal is hidden from the agent.
    """

    name: str
    number: int
    task: Any = field(repr=False)


@dataclass(frozen=True)
class RobotTasks:
    """One split of a Meta-World benchmark.

    The agent sees 39 numbers: hand, gripper and up to two objects, now and a step before, and
    zeros where the goal would stand. It moves the hand along x, y and z and closes the gripper,
    each within ± 1. A step pays 0 to 10; an episode has 500 steps and does not end at success,
    which `info["success"]` tells.

    Attributes:
        classes: makes an environment of each name.
        tasks: all that may be met, equally likely.
        horizon: H.
        pool: the arms of this process that no environment uses at the moment.
    """

    classes: Mapping[str, Callable[..., Any]]
    tasks: tuple[Manipulation, ...]
    horizon: int
    pool: "Pool" = field(default_factory=lambda: Pool(), compare=False, repr=False)

    def sample_task(self, rng: np.random.Generator) -> Manipulation:
        """M_i ~ p(M). The generator is consumed."""
        return self.tasks[rng.integers(len(self.tasks))]

    def make(self, render_mode: str | None = None) -> Any:
        """One `gymnasium.Env`, which takes the arm that its task asks for from the pool, and gives
        back the one before.

        `reset()` begins an episode in the task that was set; without one it draws one.
        """
        return in_gymnasium(_Arm)(self, render_mode)

    def set_task(self, env: Any, task: Manipulation) -> None:
        """Put an environment that `make` made into a task, from its next `reset()` on."""
        env.unwrapped.set_task(task)

    def hosted(self, copies: int) -> HostEnvironment:
        """Copies that are stepped together, each in a task of its own."""
        return HostEnvironment(self.make, self.sample_task, self.set_task, copies, self.horizon)


def ml1(name: str, split: str = "train", *, seed: int = 0) -> RobotTasks:
    """Meta-World ML1: one thing to do, with 50 goals in training and 50 others in the test.

    Args:
        name: what, as "reach-v3", "push-v3" or "pick-place-v3".
        split: "train" or "test".
        seed: decides the goals of both.

    Raises:
        BadInput: the package has no such name, or another split.
        QuickstudyError: Meta-World is not installed.

    Example:
        >>> ml1("reach-v3").hosted(copies=2).begin(seed=0).shape  # doctest: +SKIP
        (2, 39)

    References:
        Yu et al. (2019), https://arxiv.org/abs/1910.10897, section 4.3; its code is
        https://github.com/Farama-Foundation/Metaworld.
    """
    package = import_metaworld()
    if name not in (known := list(package.ML1.ENV_NAMES)):
        raise BadInput(f"Meta-World has no task {name!r}; it has {known}")
    return _arms(package.ML1(name, seed=seed), split)


def ml45(split: str = "train", *, seed: int = 0) -> RobotTasks:
    """Meta-World ML45: 45 things to do in training and five others in the test, 50 goals each.

    Args:
        split: "train" or "test".
        seed: decides the goals of both.

    Raises:
        BadInput: another split.
        QuickstudyError: Meta-World is not installed.

    Example:
        >>> len(ml45("train").classes)  # doctest: +SKIP
        45

    References:
        As of `ml1`.
    """
    return _arms(import_metaworld().ML45(seed=seed), split)


def ml10(split: str = "train", *, seed: int = 0) -> RobotTasks:
    """Meta-World ML10: ten things to do in training and five others in the test, 50 goals each.

    Args:
        split: "train" or "test".
        seed: decides the goals of both.

    Raises:
        BadInput: another split.
        QuickstudyError: Meta-World is not installed.

    Example:
        >>> len(ml10("test").classes)  # doctest: +SKIP
        5

    References:
        As of `ml1`.
    """
    return _arms(import_metaworld().ML10(seed=seed), split)


def import_metaworld() -> Any:
    """The package.

    Raises:
        QuickstudyError: it is not installed.
    """
    try:
        return importlib.import_module("metaworld")
    except ImportError as error:
        raise QuickstudyError(
            "this needs Meta-World, which is not installed: pip install 'quickstudy[metaworld]'. "
            "It asks for MuJoCo 3.3.0, so give it an environment of its own"
        ) from error


def _arms(benchmark: Any, split: str) -> RobotTasks:
    """A split of what the package calls a benchmark."""
    if split not in ("train", "test"):
        raise BadInput(f"split is {split!r}; give 'train' or 'test'")
    classes = dict(getattr(benchmark, f"{split}_classes"))
    found: list[Manipulation] = []
    for name in classes:
        own = [t for t in getattr(benchmark, f"{split}_tasks") if t.env_name == name]
        found += [Manipulation(name, number, task) for number, task in enumerate(own)]
    horizons = {made.max_path_length for made in classes.values()}
    if len(horizons) != 1:
        raise BadInput(f"episodes are of different lengths, {sorted(horizons)}; give them one")
    return RobotTasks(classes, tuple(found), horizons.pop())


class Pool:
    """Arms that are made once, and handed on from an environment to the next that needs them: as
    many as are in use at once, not one of each name in every environment.

    Example:
        >>> pool = Pool()
        >>> one = pool.take("reach", object)
        >>> pool.give("reach", one)
        >>> pool.take("reach", object) is one
        True
    """

    def __init__(self) -> None:
        self.free: dict[Any, list[Any]] = {}
        self.users = 0

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process makes its own.
        return Pool, ()

    def take(self, kind: Any, make: Callable[[], Any]) -> Any:
        """A free arm of a kind, or a new one."""
        free = self.free.get(kind)
        return free.pop() if free else make()

    def give(self, kind: Any, arm: Any) -> None:
        """Give an arm back."""
        self.free.setdefault(kind, []).append(arm)

    def leave(self) -> None:
        """One user less; the last one closes all arms."""
        self.users -= 1
        if not self.users:
            close_all([arm for free in self.free.values() for arm in free])
            self.free.clear()


class _Arm:
    """All of a `gymnasium.Env` but what needs Gymnasium."""

    np_random: np.random.Generator

    def __init__(self, arms: RobotTasks, render_mode: str | None) -> None:
        self.arms, self.render_mode = arms, render_mode
        self.task: Manipulation | None = None
        # Any arm tells the sizes, for all see 39 numbers and take 4.
        self.name: str | None = next(iter(arms.classes))
        self.arm = self._of(self.name)
        arms.pool.users += 1
        spaces = import_gymnasium().spaces
        shape, size = self.arm.observation_space.shape, self.arm.action_space.shape
        self.observation_space = spaces.Box(-np.inf, np.inf, shape, np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, size, np.float32)

    def set_task(self, task: Manipulation) -> None:
        """Play in this task from the next `reset()` on."""
        if task.name not in self.arms.classes:
            raise BadInput(f"the task is {task!r}; give one of {[*self.arms.classes]}")
        if task.name != self.name:
            self._give()
            self.name, self.arm = task.name, self._of(task.name)
        self.task = task
        self.arm.set_task(task.task)

    def step(self, action: Any) -> tuple[Float32[np.ndarray, " n"], float, bool, bool, dict]:
        """Act; Meta-World itself tells of success."""
        seen, reward, terminated, truncated, told = self.arm.step(action)
        return seen.astype(np.float32), float(reward), bool(terminated), bool(truncated), told

    def render(self) -> Any:
        """A picture, or None without a mode.

        Raises:
            QuickstudyError: Meta-World cannot draw.
        """
        try:
            return self.arm.render()
        except Exception as error:  # whatever its window system says
            raise QuickstudyError(
                f"Meta-World cannot draw ({error}); where there is no screen, set MUJOCO_GL=egl"
            ) from error

    def close(self) -> None:
        """Give the arm back; the last environment that closes ends all arms."""
        if self.name is not None:
            self._give()
            self.arms.pool.leave()

    def _give(self) -> None:
        if self.name is not None:
            self.arms.pool.give((self.name, self.render_mode), self.arm)
        self.name = None

    def _of(self, name: str) -> Any:
        make = partial(self.arms.classes[name], render_mode=self.render_mode)
        return self.arms.pool.take((name, self.render_mode), make)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> Any:
        """Begin an episode, in a task of its own if none was set."""
        # Gymnasium's own: makes `np_random`, if there is a seed.
        super().reset(seed=seed)  # pyright: ignore[reportAttributeAccessIssue]
        if self.task is None:
            self.set_task(self.arms.sample_task(self.np_random))
        seen, told = self.arm.reset()
        return seen.astype(np.float32), told
