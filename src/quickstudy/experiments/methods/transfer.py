"""Pre-train on all classes, then make a classifier for the task: what meta-learning must beat."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import BadInput
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.methods.prototypical import demand_classification
from quickstudy.experiments.problem import ExampleProblem, Problem, Source
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution

AVERAGING = 0.1
"""How far the mean of the features moves in a step."""


@dataclass(frozen=True)
class TaskHeadConfig(Choice):
    """Base: what is made for a task, on features that were trained on all classes."""

    @abc.abstractmethod
    def build(self, body: Any, linear: Any) -> "Learner":
        """The learner, from a body and a linear classifier of all classes."""

    def optimiser(self, budget: Budget) -> "optax.GradientTransformation":
        """What pre-trains it."""
        return budget.adam()


@dataclass(frozen=True)
class CentroidHeadConfig(TaskHeadConfig):
    """Nearest centroids (SimpleShot)."""

    name: ClassVar[str] = "centroid"

    centring: Literal["base", "none"] = "base"
    """What is subtracted from features before they are scaled to length 1: the mean over the
    training classes (CL2N), or nothing (L2N)."""

    def build(self, body: Any, linear: Any) -> "Learner":
        """Nothing is trained in a task."""
        import jax.numpy as jnp

        from quickstudy.learners.transfer import NearestCentroid

        size = linear.weight.shape[0]
        return NearestCentroid(body, linear, jnp.zeros(size) if self.centring == "base" else None)

    def optimiser(self, budget: Budget) -> "optax.GradientTransformation":
        """Adam; the centre moves by plain descent, which makes of it a moving average."""
        import jax
        import optax

        def kinds(learner: Any) -> Any:
            return jax.tree.map_with_path(
                lambda path, _: "average" if path[0].name == "centre" else "learned", learner
            )

        moved: dict[Any, Any] = {"learned": budget.adam(), "average": optax.sgd(AVERAGING)}
        return optax.partition(moved, kinds)


@dataclass(frozen=True)
class TunedHeadConfig(TaskHeadConfig):
    """Base: heads that are trained in a task."""

    fine_tuning_rate: float = 1e-2
    """Adam's learning rate in a task."""
    fine_tuning_steps: int = 50
    """Steps in a task, each on the whole support set."""

    def tuning(self) -> dict[str, Any]:
        """Optimiser and steps."""
        import optax

        adam = optax.adam(self.fine_tuning_rate, eps_root=1e-8)
        return {"optimiser": adam, "steps": self.fine_tuning_steps}


@dataclass(frozen=True)
class LinearHeadConfig(TunedHeadConfig):
    """A new linear head (Baseline)."""

    name: ClassVar[str] = "head"

    def build(self, body: Any, linear: Any) -> "Learner":
        """The body stays as it was."""
        from quickstudy.learners.transfer import FineTuneHead

        return FineTuneHead(body, linear, **self.tuning())


@dataclass(frozen=True)
class CosineHeadConfig(TunedHeadConfig):
    """A cosine head, also in pre-training (Baseline++)."""

    name: ClassVar[str] = "cosine"

    def build(self, body: Any, linear: Any) -> "Learner":
        """Cosines to a direction for each class."""
        from quickstudy.learners.transfer import BaselinePlusPlus, CosineHead

        return BaselinePlusPlus(body, CosineHead(linear.weight.T), **self.tuning())


@dataclass(frozen=True)
class WholeNetworkConfig(TunedHeadConfig):
    """A new linear head and the body, fine-tuned together."""

    name: ClassVar[str] = "all"

    def build(self, body: Any, linear: Any) -> "Learner":
        """Everything moves."""
        from quickstudy.learners.transfer import FineTuneAll

        return FineTuneAll(body, linear, **self.tuning())


@dataclass(frozen=True)
class TransferConfig(LearnerMethod):
    """Pre-train a classifier of all training classes, then fit one to each task."""

    name: ClassVar[str] = "transfer"
    source: ClassVar[str] = (
        "Chen et al., 2019, https://arxiv.org/abs/1904.04232; Wang et al., 2019, "
        "https://arxiv.org/abs/1911.04623"
    )

    method: TaskHeadConfig = CentroidHeadConfig()
    """The classifier of a task: nearest centroids (SimpleShot), a new linear head (Baseline), a
    cosine head (Baseline++, also in pre-training), or head and body fine-tuned."""
    batch: int = 64
    """Images per pre-training step and task of the meta-batch."""

    def check(self, problem: Problem) -> None:
        """There must be classes, and batches of them have no ways."""
        super().check(problem)
        demand_classification(self, problem)
        assert isinstance(problem, ExampleProblem)
        if not problem.has_classes:
            problem.classes(Source())
        for name in ("fewest_ways", "fewest_shots"):
            if getattr(problem, name, 0):
                raise BadInput(
                    f"transfer trains on batches of all classes, not on tasks; leave "
                    f"--{name.replace('_', '-')} out"
                )

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """A body and a classifier of all training classes."""
        from quickstudy.nets.network import Linear

        body, size, key = self.features(problem, seed)
        # No folder: weights can be read where the data are not.
        linear = Linear.create(size, problem.classes(Source()), key=key)
        return self.method.build(body, linear)

    def optimiser(self, budget: Budget) -> "optax.GradientTransformation":
        """Adam, and what the head keeps beside it."""
        return self.method.optimiser(budget)

    def training_tasks(self, problem: ExampleProblem, source: Source) -> "TaskDistribution":
        """Batches of all classes."""
        from quickstudy.tasks.all_classes import AllClasses

        tasks: Any = problem.training_tasks("train", source)
        return AllClasses(tasks, self.batch)

    def trained_on(self, problem: ExampleProblem) -> str:
        """Not tasks."""
        return f"all {problem.classes(Source()):,} classes"
