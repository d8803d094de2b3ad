"""How it is learned: what all methods share, and what those that read examples share."""

import abc
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from quickstudy.errors import BadInput
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.keys import head_key, training_key, weights_key
from quickstudy.experiments.networks import NetworkConfig, with_head
from quickstudy.experiments.problem import ExampleProblem, Problem, Source, Split
from quickstudy.experiments.settings import Choice
from quickstudy.experiments.trainable import demand_as_told, demand_trainable

if TYPE_CHECKING:
    import optax

    from quickstudy.experiments.result import Result
    from quickstudy.experiments.sections import Section, TaskImages
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import TaskDistribution

TEST_SEED = 20_170_310
"""Decides the test tasks, whatever the training's seed: every run meets the same ones."""
Trainer = Callable[..., Any]
"""`train(*, run=None, report=None)`: what was learned at the best validation."""


@dataclass(frozen=True)
class Test:
    """What a test is asked for.

    Attributes:
        recipe: the name of what is tested.
        split: which classes or MDPs the tasks are drawn from.
        episodes: how many tasks; `None` for the problem's own number.
        curves: whether the number of shots is varied, too.
        source: of the data.
        acts: whether a policy draws its actions, as in training, or takes the likeliest.
    """

    recipe: str
    split: Split = "test"
    episodes: int | None = None
    curves: bool = True
    source: Source = Source()
    acts: Literal["drawn", "greedy"] = "drawn"

    def tasks(self, problem: Problem, episodes: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What decides the tasks that a result is measured on, as its file notes it.

        Args:
            problem: that they are drawn from.
            episodes: how many.
            settings: that are not the problem's own, or take the place of these.
        """
        found = problem.test_tasks(self.split)
        drawn = {"split": self.split, "episodes": episodes, "seed": TEST_SEED}
        return {"on": found["on"], **drawn, "settings": {**found["settings"], **settings}}


@dataclass(frozen=True)
class Method(Choice):
    """Base of all methods. Its fields are flags."""

    source: ClassVar[str] = ""
    """The paper, and its link."""
    learns: ClassVar[type[Problem]] = Problem
    """The kind of problems that it learns."""
    learns_how: ClassVar[str] = ""
    """From what, in words: "from labelled examples"."""
    at_test: ClassVar[tuple[str, ...]] = ()
    """The fields that `evaluate` may change."""
    acts_greedily: ClassVar[bool] = False
    """Whether what it learns can take its likeliest actions."""
    page_flags: ClassVar[tuple[str, ...]] = ()
    """The flags of `report` that count for its runs."""
    chart_titles: ClassVar[dict[str, str]] = {}
    """Of the curves of a training, by the metric's name, where they are not the usual."""

    def check(self, problem: Problem) -> None:
        """Refuse a problem that this method cannot learn.

        Raises:
            BadInput: says why, and what would do.
        """
        if not isinstance(problem, self.learns):
            raise BadInput(
                f"{self.name} learns {self.learns_how}, and {problem.name} is not of that kind; "
                f"quickstudy methods --on {problem.name} lists the methods that learn it"
            )

    def prepared(self, problem: Problem) -> Self:
        """The method with all that it takes from the problem, such as the network."""
        return self

    def seen(self, problem: Any) -> Any:
        """The problem as what is learned meets it."""
        return problem

    def budget(self, problem: Problem) -> Budget:
        """How long to train on a problem that has no recipe of its own."""
        return Budget()

    def unread(self) -> frozenset[str]:
        """The fields of the budget that these settings do not read."""
        return frozenset()

    @abc.abstractmethod
    def learner(self, problem: Any, seed: int) -> Any:
        """The untrained learner or policy: a pytree whose arrays are trained."""

    @abc.abstractmethod
    def training(self, problem: Any, budget: Budget, source: Source) -> Trainer:
        """Read the data, and return what trains. Invalid settings fail here, before a run."""

    @abc.abstractmethod
    def evaluate(self, problem: Any, learned: Any, test: Test, budget: Budget) -> "Result":
        """Test what was learned on tasks that it never saw."""

    @abc.abstractmethod
    def own_episodes(self, problem: Any) -> int:
        """How many test tasks, where no number is asked for."""

    def retested(self, learned: Any, problem: Any, flags: dict[str, Any]) -> tuple[Self, Any]:
        """The method and what it learned, with other settings for a test."""
        return replace(self, **flags), learned

    def first_task(self, problem: Any, learned: Any, test: Test) -> "TaskImages | None":
        """One test task with its answers, where there are images to be shown."""
        return None

    def play(
        self, problem: Any, learned: Any, budget: Budget, trial: tuple[Split, int], path: Path,
        acts: Literal["drawn", "greedy"] = "drawn",
    ) -> Path:  # fmt: skip
        """Show one trial as a picture.

        Args:
            problem: where the policy acts.
            learned: the policy.
            budget: of its training.
            trial: its split, and its number among those of an evaluation.
            path: of the picture, without an ending.
            acts: whether actions are drawn, as in training, or the likeliest.

        Raises:
            BadInput: the method does not act.
        """
        raise BadInput(
            f"{self.name} learns from examples and does not act; its pictures are those of "
            "quickstudy report"
        )

    def compared_by(self, problem: Any) -> Any:
        """What must be equal in two runs whose results are drawn side by side."""
        return None

    def trained_on(self, problem: Any) -> str:
        """What training tasks were, in words; nothing where they are like those of a test."""
        return ""

    @abc.abstractmethod
    def pictures(
        self, problem: Any, learned: Any, budget: Budget, run: Path, test: Test
    ) -> "list[Section]":
        """What a page shows of one task or trial."""


@dataclass(frozen=True)
class LearnerMethod(Method):
    """Base of the methods that read a support set and answer queries."""

    learns: ClassVar[type[Problem]] = ExampleProblem
    learns_how: ClassVar[str] = "from labelled examples"
    page_flags: ClassVar[tuple[str, ...]] = ("episodes", "data")

    network: NetworkConfig | None = None
    """The network that reads the inputs; by default the problem's own."""

    def check(self, problem: Problem) -> None:
        """The network must read the problem's inputs."""
        super().check(problem)
        assert isinstance(problem, ExampleProblem)
        if problem.inputs:  # those of a folder are known when it is read
            self.body_of(problem).check(problem.inputs)

    def body_of(self, problem: ExampleProblem) -> NetworkConfig:
        """The network, whose kind must read the problem's inputs."""
        network = self.network or problem.network
        if network is None:
            raise BadInput(f"{problem.name} has no network; let its property `network` return one")
        return network

    def seen(self, problem: Any) -> Any:
        """Of features, where the network is pretrained and frozen."""
        from quickstudy.experiments.problems.encoded import as_encoded

        # What is no problem of examples is refused by `check`, with the reason.
        if not isinstance(problem, ExampleProblem):
            return problem
        return as_encoded(problem, self.body_of(problem))

    def prepared(self, problem: Problem) -> Self:
        """With the problem's network, unless another is asked for."""
        if self.network is not None or not isinstance(problem, ExampleProblem):
            return self
        return replace(self, network=problem.network)

    def budget(self, problem: Problem) -> Budget:
        """As long as the problem takes most learners."""
        assert isinstance(problem, ExampleProblem)
        return Budget(**problem.usual)

    def model(self, problem: ExampleProblem, seed: int, *, drawn: bool = False) -> Any:
        """An untrained network with one output per class or target.

        A head for classes starts at zero, where all are equally likely, unless it is `drawn`.
        """
        draw = drawn or not problem.classification
        keys = {"key": weights_key(seed), "head": head_key(seed) if draw else None}
        return with_head(self.body_of(problem), problem.inputs, problem.outputs, **keys)

    def features(self, problem: ExampleProblem, seed: int) -> tuple[Any, int, Any]:
        """An untrained body, how many features it makes, and a key for what stands on it."""
        body, size = self.body_of(problem).body(problem.inputs, key=weights_key(seed))
        return body, size, head_key(seed)

    @property
    def training_ways(self) -> int | None:
        """Classes of a training task; `None` for as many as in tests."""
        return None

    def training_tasks(self, problem: ExampleProblem, source: Source) -> "TaskDistribution":
        """What meta-training learns from."""
        return problem.training_tasks("train", source, self.training_ways)

    def optimiser(self, budget: Budget) -> "optax.GradientTransformation":
        """What improves the learner, once in each step."""
        return budget.adam()

    def for_test(self, learner: "Learner") -> "Learner":
        """The learner as it is tested: with another number of inner steps, for example."""
        return learner

    def trained_on(self, problem: ExampleProblem) -> str:
        """What training tasks were, in words; nothing where they are like those of a test."""
        return problem.trained_shape(self.training_ways)

    def training(self, problem: ExampleProblem, budget: Budget, source: Source) -> Trainer:
        """Meta-train on the tasks of the split `train`, choosing weights by `validation`."""
        from quickstudy.training.plan import MetaPlan
        from quickstudy.training.train import train

        tasks = self.training_tasks(problem, source)
        validation = problem.training_tasks("validation", source)
        names = ("steps", "validate_every", "meta_batch", "validation_episodes", "ema")
        plan = MetaPlan(**{name: getattr(budget, name) for name in names})
        demand_as_told(problem, tasks, validation)
        # Only now: an optimiser's schedule over no steps at all has an error of its own.
        optimiser = budget.accumulated(self.optimiser(budget))
        plan = replace(plan, optimiser=optimiser, for_test=self.for_test)
        learner, key = self.learner(problem, budget.seed), training_key(budget.seed)
        demand_trainable(learner, (tasks, validation), (problem, self))
        return functools.partial(train, learner, tasks, validation=validation, plan=plan, key=key)

    def evaluate(
        self, problem: ExampleProblem, learned: "Learner", test: Test, budget: Budget
    ) -> "Result":
        """Accuracy or error on many tasks, and for several numbers of shots."""
        from quickstudy.experiments.learner_tests import evaluate_learner

        return evaluate_learner(self.for_test(learned), problem, test)

    def first_task(
        self, problem: ExampleProblem, learned: "Learner", test: Test
    ) -> "TaskImages | None":
        """The first task of an evaluation, if it is of images."""
        import jax

        from quickstudy.experiments.pictures.seen import first_task

        tasks = problem.tasks(test.split, test.source)
        return first_task(self.for_test(learned), tasks, jax.random.key(TEST_SEED))

    def own_episodes(self, problem: ExampleProblem) -> int:
        """The protocol's."""
        return problem.test_episodes

    def pictures(
        self, problem: ExampleProblem, learned: "Learner", budget: Budget, run: Path, test: Test
    ) -> "list[Section]":
        """One task, and the classes that are taken for each other."""
        from quickstudy.experiments.learner_tests import task_sections

        return task_sections(self.for_test(learned), problem, test)
