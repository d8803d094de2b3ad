"""What a recipe is: every setting of one reproducible result, as documented flags.

JAX is imported inside the methods, so that the command line can list recipes at once.
"""

import abc
import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import BadInput, demand_positive
from quickstudy.progress import Counter, silent

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution
    from quickstudy.training.plan import Plan

Trainer = Callable[..., Any]
"""`train(*, run=None, report=None)`: what was learned at the best validation."""
Split = Literal["train", "validation", "test"]
Norm = Literal["layer", "group", "support", "batch", "running", "none"]


@dataclass(frozen=True)
class Shape:
    """Another shape of tasks than a recipe's own; `None` keeps the recipe's.

    Attributes:
        ways: N, classes per task.
        shots: K, support examples per class (or points).
        queries: query examples per class (or points).
    """

    ways: int | None = None
    shots: int | None = None
    queries: int | None = None


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Attributes:
        folder: holds it; `None` for QUICKSTUDY_DATA, or a download.
        progress: is told while files are read or fetched.
    """

    folder: str | None = None
    progress: Counter = silent


@dataclass(frozen=True)
class Recipe(abc.ABC):
    """Base of the recipes: the outer loop's settings, and how they are written down.

    `FewShot` and `MetaRL` (quickstudy.recipes.meta_rl) are its two kinds.
    """

    name: ClassVar[str]
    """What the command line calls it."""
    reaches: ClassVar[str]
    """The figure it must reach."""
    takes: ClassVar[str]
    """How long that takes, and on what."""
    source: ClassVar[str]
    """The paper."""

    seed: int = 0
    """Decides the initial weights and every task that is sampled."""
    steps: int = 1000
    """Meta-steps."""
    meta_batch: int = 4
    """Tasks per meta-step."""
    learning_rate: float = 1e-3
    """β, the outer optimiser's (Adam's) rate at the start; it falls to zero on a cosine."""
    clip: float = 10.0
    """The largest norm of the meta-gradient; longer ones are shortened to it."""
    validate_every: int = 500
    """Meta-steps between validations, each of which saves a checkpoint."""
    validation_episodes: int = 200
    """Tasks per validation."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, default = getattr(self, field.name), field.default
            if not isinstance(default, int | float):
                continue
            if not math.isfinite(value) or value < 0 <= default:
                raise BadInput(f"{field.name} is {value}; give a finite number, of 0 or more")
        demand_positive(clip=self.clip)

    def __init_subclass__(cls) -> None:
        """Let a recipe of two halves have its defaults in Python's order of bases.

        A dataclass takes a field's default from the last base that *inherits* it, so that one half
        would undo what the other changes: `class B(With, On)` would lose `On`'s own `steps`.
        """
        super().__init_subclass__()
        taken: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            taken.update(getattr(base, "__dataclass_fields__", {}))
        own = inspect.get_annotations(cls)
        for name, field in taken.items():
            if name not in own and hasattr(cls, name) and getattr(cls, name) != field.default:
                own[name] = field.type
                setattr(cls, name, getattr(cls, name))
        cls.__annotations__ = own

    @abc.abstractmethod
    def learner(self) -> Any:
        """The untrained learner, or policy: a pytree whose arrays are trained."""

    @abc.abstractmethod
    def training(self, source: Source | None = None) -> Trainer:
        """Read the data, and return what trains as the recipe says."""

    def optimiser(self) -> "optax.GradientTransformation":
        """What improves the learner, once in each step."""
        return self.adam()

    def adam(self, *, each: int = 1) -> "optax.GradientTransformation":
        """Adam on a cosine to zero, with the gradient's norm clipped.

        Args:
            each: updates in each step of training; the rate is zero after the last of all.
        """
        import optax

        rate = optax.cosine_decay_schedule(self.learning_rate, self.steps * each)
        return optax.chain(optax.clip_by_global_norm(self.clip), optax.adam(rate))

    def plan(self) -> "Plan":
        """The plan for `quickstudy.train`."""
        from quickstudy.training.plan import Plan

        plan = Plan(
            self.steps,
            self.meta_batch,
            validate_every=self.validate_every,
            validation_episodes=self.validation_episodes,
        )
        # Only now: an optimiser's schedule over no steps at all has an error of its own.
        return replace(plan, optimiser=self.optimiser())

    def to_json(self) -> dict[str, Any]:
        """The recipe's name and every setting, as `recipe.json` and exported files hold it."""
        return {"recipe": self.name, **asdict(self)}

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> "Recipe":
        """The recipe with those settings.

        Raises:
            BadInput: a setting that this version does not know, or that cannot be.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(settings.keys() - known):
            raise BadInput(
                f"recipe {cls.name} has no setting {', '.join(unknown)}; it was written by another "
                "version of quickstudy, which the run's environment.json names"
            )
        for field in fields(cls):
            value = settings.get(field.name, field.default)
            if isinstance(field.default, int | float) and not isinstance(value, int | float):
                raise BadInput(f"{field.name} of recipe {cls.name} is {value!r}; give a number")
        return cls(**settings)


@dataclass(frozen=True)
class FewShot(Recipe):
    """Base of the recipes for learners that read a support set and answer queries."""

    image: ClassVar[tuple[int, int, int] | None] = None
    """Height, width and channels of the images that the learner takes; `None` if it takes none."""

    @abc.abstractmethod
    def learner(self) -> "Learner":
        """The untrained learner."""

    @abc.abstractmethod
    def tasks(
        self, split: Split, shape: Shape | None = None, source: Source | None = None
    ) -> "TaskDistribution":
        """The task distribution of a split."""

    @property
    def test_episodes(self) -> int:
        """Test tasks, frozen by the protocol."""
        return 1000

    def for_test(self, learner: "Learner") -> "Learner":
        """The learner as it is tested: with another number of inner steps, for example."""
        return learner

    def training(self, source: Source | None = None) -> Trainer:
        """Meta-train on the tasks of the split `train`, choosing weights by `validation`."""
        import jax

        from quickstudy.training.train import train

        tasks, validation = (self.tasks(split, source=source) for split in ("train", "validation"))
        return functools.partial(
            train,
            self.learner(),
            tasks,
            validation=validation,
            plan=self.plan(),
            key=jax.random.key(self.seed),
        )
