"""RL²: a memory that is carried from episode to episode learns how to learn an MDP."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import BadInput, demand_counts, demand_positive
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.family import FamilyProblem, HostProblem
from quickstudy.experiments.methods.histories import GRUConfig, HistoryConfig, TableConfig
from quickstudy.experiments.methods.scales import RunningScaleConfig
from quickstudy.experiments.methods.trial_method import TrialMethod
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.rl.policy import MetaPolicy
    from quickstudy.rl.ppo import Improvement
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class ImprovementConfig(Choice):
    """Base: how a policy is improved on a batch of its trials."""

    @abc.abstractmethod
    def build(self, budget: Budget) -> "Improvement":
        """What improves the policy."""


@dataclass(frozen=True)
class PPOConfig(ImprovementConfig):
    """Several passes over the same trials, with clipped ratios."""

    name: ClassVar[str] = "ppo"

    epochs: int = 4
    """Passes over the same trials."""
    # In games 2 do as well (2.38 and 2.39 in validation at step 200), and 16 far worse.
    minibatches: int = 4
    """Minibatches per pass, each a share of the trials."""
    entropy_weight: float = 0.003
    """c_e, the weight of the entropy bonus."""
    clip_ratio: float = 0.2
    """ε: ratios of probabilities are clipped at 1 ± ε."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(epochs=self.epochs, minibatches=self.minibatches)
        demand_positive(clip_ratio=self.clip_ratio)

    def build(self, budget: Budget) -> "Improvement":
        """PPO."""
        from quickstudy.rl.ppo import PPO

        adam = budget.adam(each=self.epochs * self.minibatches)
        weights = {"clip": self.clip_ratio, "entropy_weight": self.entropy_weight}
        return PPO(adam, self.epochs, self.minibatches, **weights)


@dataclass(frozen=True)
class PolicyGradientConfig(ImprovementConfig):
    """The plain policy gradient."""

    name: ClassVar[str] = "policy-gradient"

    entropy_weight: float = 0.003
    """c_e, the weight of the entropy bonus."""

    def build(self, budget: Budget) -> "Improvement":
        """One step."""
        from quickstudy.rl.ppo import PolicyGradient

        return PolicyGradient(budget.adam(), entropy_weight=self.entropy_weight)


@dataclass(frozen=True)
class TRPOConfig(ImprovementConfig):
    """A trust region; Adam trains the critic alone."""

    name: ClassVar[str] = "trpo"

    radius: float = 0.01
    """δ, the largest mean KL divergence of a step, in nats."""

    def build(self, budget: Budget) -> "Improvement":
        """TRPO."""
        from quickstudy.rl.trpo import TRPO
        from quickstudy.rl.trust_region import TrustRegion

        steps = TRPO.critic_steps
        # Every update of the critic counts: counted once a step, its rate was zero after a tenth of
        # the training.
        return TRPO(budget.adam(each=steps), TrustRegion(self.radius), steps)


@dataclass(frozen=True)
class RL2Config(TrialMethod):
    """A policy with a memory of observations, actions and rewards; it explores, then exploits."""

    name: ClassVar[str] = "rl2"
    source: ClassVar[str] = "Duan et al., 2016, https://arxiv.org/abs/1611.02779"

    memory: HistoryConfig = GRUConfig()
    """The history encoder. `none` is a baseline that sees the current observation only; `table`
    keeps counts, for bandits and tabular MDPs, and treats actions as interchangeable."""
    improvement: ImprovementConfig = PPOConfig()
    """How the policy is improved on a batch of trials."""
    discount: float = 0.99
    """γ, the discount, over the whole trial."""
    decay: float = 0.95
    """λ of generalised advantage estimation."""
    parts: int = 1
    """Number of equal parts of a trial between which backpropagation is truncated."""
    forgets: Literal["between-tasks", "between-episodes", "never"] = "between-tasks"
    """When memory is cleared; the other choices show why it must be between tasks."""
    told: Literal["everything", "no-beginnings"] = "everything"
    """What the policy reads. With `no-beginnings` it is not told that a new MDP begins, and cannot
    clear its memory by itself."""

    def check(self, problem: Problem) -> None:
        """The memory must be able to read the family; on the host it is cleared in every trial."""
        super().check(problem)
        assert isinstance(problem, FamilyProblem)
        self.memory.check(problem)
        if isinstance(self.memory, TableConfig) and isinstance(self.scale, RunningScaleConfig):
            raise BadInput(
                "--memory table counts what it sees, and --scale running makes other numbers of "
                "it; give --scale fixed"
            )
        if self.forgets == "never" and isinstance(problem, HostProblem):
            raise BadInput(
                f"forgets is 'never', and in {problem.name} every trial begins with a fresh "
                "memory; give --forgets between-tasks or between-episodes, or take a family that "
                "JAX compiles, as --on bandit"
            )

    def policy(self, problem: FamilyProblem, trial: "Trial", seed: int) -> "MetaPolicy":
        """With the memory, cleared when it is to be."""
        from quickstudy.rl import policy

        forgets, told = (
            getattr(policy, name.replace("-", "_")) for name in (self.forgets, self.told)
        )
        encoder = self.memory.encoder(problem, trial, seed)
        return policy.MetaPolicy.create(trial, encoder, forgets=forgets, told=told)

    @property
    def in_a_row(self) -> int:
        """What is never cleared must have another MDP's memories to show it."""
        return 2 if self.forgets == "never" else 1

    def algorithm(self, problem: FamilyProblem, budget: Budget) -> Any:
        """Collect trials, improve the policy, repeat."""
        from quickstudy.rl.rl2 import RL2

        trial = problem.trial("train", self.copies(budget), in_a_row=self.in_a_row)
        return RL2(
            self.policy(problem, trial, budget.seed),
            trial,
            self.improvement.build(budget),
            budget.meta_batch,
            budget.validation_episodes,
            self.discount,
            self.decay,
            parts=self.parts,
            scale=self.built_scale(trial),
        )
