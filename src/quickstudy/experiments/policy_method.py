"""What methods that act share: how a policy is trained, tested and shown."""

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import BadInput, demand_counts
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.family import FamilyProblem, Watching
from quickstudy.experiments.method import TEST_SEED, Method, Test, Trainer
from quickstudy.experiments.problem import Problem, Source, Split

if TYPE_CHECKING:
    from quickstudy.evaluation.trials import Reference
    from quickstudy.experiments.result import Result
    from quickstudy.experiments.sections import Section
    from quickstudy.rl.greedy import Acts
    from quickstudy.rl.trial import Trial

ACTIONS = {"drawn": "drawn from the policy", "greedy": "the likeliest"}
"""How results say that a policy acted."""
MOST = 100  # environments that are stepped side by side on the host


@dataclass(frozen=True)
class PolicyMethod(Method):
    """Base of the methods that act."""

    learns: ClassVar[type[Problem]] = FamilyProblem
    learns_how: ClassVar[str] = "by acting in a family of MDPs"
    acts_greedily: ClassVar[bool] = True
    page_flags: ClassVar[tuple[str, ...]] = ("beside",)
    stage: ClassVar[str] = "episode"
    """What rewards are told by: an "episode" of a trial, or an "update"."""

    @property
    def in_a_row(self) -> int:
        """MDPs that follow each other with the memory left as it is; the last is scored."""
        return 1

    @abc.abstractmethod
    def copies(self, budget: Budget) -> int:
        """How many environments are stepped side by side, where they are stepped on the host."""

    def unread(self) -> frozenset[str]:
        """Policies improve in every step, and are kept as they are."""
        return frozenset({"accumulate", "ema"})

    @abc.abstractmethod
    def algorithm(self, problem: FamilyProblem, budget: Budget) -> Any:
        """What `quickstudy.fit` drives."""

    @abc.abstractmethod
    def earning(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", acts: "Acts" = "drawn"
    ) -> "Reference":
        """What was learned, acting so: rewards `[trials, stages]`."""

    @abc.abstractmethod
    def references(
        self, problem: FamilyProblem, trial: "Trial", seed: int, acts: "Acts" = "drawn"
    ) -> "dict[str, Reference]":
        """Whose scores stand beside those of a policy that acts so."""

    @abc.abstractmethod
    def stages(self, problem: FamilyProblem) -> int:
        """How many stages are scored."""

    @abc.abstractmethod
    def watched(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", task: Any, key: Any,
        acts: "Acts",
    ) -> Any:  # fmt: skip
        """The episodes of one compiled trial, to be drawn. The key is consumed."""

    @abc.abstractmethod
    def filmed(
        self, problem: FamilyProblem, learned: Any, trial: "Trial", key: Any, number: int,
        acts: "Acts",
    ) -> Any:  # fmt: skip
        """Frames and rewards of one trial on the host. The key is consumed."""

    def training(self, problem: FamilyProblem, budget: Budget, source: Source) -> Trainer:
        """Act and improve. Settings that cannot be are refused here, before a run's folder."""
        import jax

        from quickstudy.training.fit import fit
        from quickstudy.training.plan import Plan

        # First: an optimiser's schedule over no steps at all has an error of its own.
        plan = Plan(budget.steps, budget.validate_every)
        demand_counts(validation_episodes=budget.validation_episodes, meta_batch=budget.meta_batch)
        # Before any other environment is open.
        problem.demand_contract(self.copies(budget))
        algorithm = self.algorithm(problem, budget)

        def train(**where: Any) -> Any:
            with problem.closing(algorithm.host):
                # Another key than the one that the initial weights are drawn with.
                return fit(algorithm, plan, key=jax.random.key(budget.seed + 1), **where).best

        return train

    def evaluate(
        self, problem: FamilyProblem, learned: Any, test: Test, budget: Budget
    ) -> "Result":
        """Rewards in many trials, beside the oracles'."""
        import jax

        from quickstudy.envs.host_family import host_of
        from quickstudy.evaluation.trials import evaluate_earnings
        from quickstudy.experiments.policy_result import PolicyResult

        copies, stages = self.copies(budget), self.stages(problem)
        trial = problem.trial(test.split, copies, stages, self.in_a_row)
        trials = test.episodes or self.test_trials(problem)
        with problem.closing(host_of(trial.environment)):
            found = evaluate_earnings(
                self.earning(problem, learned, trial, test.acts),
                trials=trials,
                key=jax.random.key(TEST_SEED),
                references=self.references(problem, trial, budget.seed, test.acts),
                stage=self.stage,
            )
        data, split = problem.data(test.split), test.split
        how = {**problem.definition(), **self.acts_by(), "actions": ACTIONS[test.acts]}
        # A score is of so many episodes of a trial, or of an episode after so many updates.
        scored = {"updates": stages - 1} if self.stage == "update" else {"trial_episodes": stages}
        tasks = test.tasks(problem, trials, {**scored, "in_a_row": self.in_a_row})
        return PolicyResult(found, how, recipe=test.recipe, data=data, split=split, tasks=tasks)

    def acts_by(self) -> dict[str, str]:
        """What a score depends on beside the problem, as evaluations note it."""
        return {}

    def compared_by(self, problem: FamilyProblem) -> tuple[str, int]:
        """Stages of the same kind, and as many."""
        return self.stage, self.stages(problem)

    def test_trials(self, problem: FamilyProblem) -> int:
        """Test trials."""
        return problem.test_trials

    def own_episodes(self, problem: Problem) -> int:
        """Test trials."""
        assert isinstance(problem, FamilyProblem)
        return self.test_trials(problem)

    def play(
        self, problem: FamilyProblem, learned: Any, budget: Budget, trial: tuple[Split, int],
        path: Path, acts: "Acts" = "drawn",
    ) -> Path:  # fmt: skip
        """Act through the trial of that number, and leave its picture."""
        import jax

        from quickstudy.experiments.pictures.film import show_film
        from quickstudy.experiments.pictures.watch import show
        from quickstudy.rl.rl2 import trial_task

        split, number = trial
        acted = problem.trial(split, self.copies(budget))
        key = jax.random.key(TEST_SEED)

        def compiled(path: Path) -> Path:
            task = trial_task(acted, key, number)
            # The first half of it has drawn the task.
            acting = jax.random.split(jax.random.fold_in(key, number))[1]
            episodes = self.watched(problem, learned, acted, task, acting, acts)
            return show(acted.environment, task, episodes, path, self.stage)

        def filmed(path: Path) -> Path:
            film = self.filmed(problem, learned, acted, key, number, acts)
            return show_film(film, path, self.stage)

        return problem.picture(Watching(compiled, filmed), path)

    def pictures(
        self, problem: FamilyProblem, learned: Any, budget: Budget, run: Path, test: Test
    ) -> "list[Section]":
        """One trial."""
        from quickstudy.experiments.sections import Note, PictureFile, Section

        title = "One task" if self.stage == "update" else "One trial"
        try:
            picture = self.play(problem, learned, budget, ("test", 0), run / "play-test-0")
        except BadInput as error:  # there is no picture of this family
            return [Section(title, [Note(str(error))])]
        others = Note("Others:", f"quickstudy play {run} --trial 1")
        return [Section(title, [PictureFile(picture, "What the policy does"), others])]
