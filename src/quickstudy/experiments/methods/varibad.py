"""VariBAD: a belief over tasks, learned by predicting rewards, and a policy that acts by it."""

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import BadInput, demand_counts, demand_shares
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.methods.histories import GRUConfig, HistoryConfig, TableConfig
from quickstudy.experiments.methods.rl2 import ImprovementConfig, PPOConfig
from quickstudy.experiments.methods.trial_method import TrialMethod
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.rl.decoder import Decoder
    from quickstudy.rl.policy import MetaPolicy
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class PredictionConfig(Choice):
    """Base: what is predicted from the belief."""

    decoder_width: int = 64
    """Width of the decoders' layers."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(decoder_width=self.decoder_width)

    @abc.abstractmethod
    def decoders(self, trial: "Trial", latent: int, seed: int) -> "tuple[Decoder, ...]":
        """What predicts it, untrained."""


@dataclass(frozen=True)
class RewardsConfig(PredictionConfig):
    """Rewards, for families whose MDPs differ in nothing else."""

    name: ClassVar[str] = "rewards"

    def decoders(self, trial: "Trial", latent: int, seed: int) -> "tuple[Decoder, ...]":
        """Of rewards."""
        import jax

        from quickstudy.rl.decoder import RewardDecoder

        # Another key than the encoder's, 0, 1 and 2, and the policy's, 3.
        key = jax.random.fold_in(jax.random.key(seed), 4)
        return (RewardDecoder.create(trial, latent, self.decoder_width, key=key),)


@dataclass(frozen=True)
class RewardsAndStatesConfig(RewardsConfig):
    """Rewards, and the observation that follows an action."""

    name: ClassVar[str] = "rewards-and-states"

    def decoders(self, trial: "Trial", latent: int, seed: int) -> "tuple[Decoder, ...]":
        """Of both."""
        import jax

        from quickstudy.rl.decoder import StateDecoder

        if trial.observed == 0:
            raise BadInput(
                "--predicts rewards-and-states predicts observations, and this family shows none; "
                "take --predicts rewards"
            )
        key = jax.random.fold_in(jax.random.key(seed), 5)
        states = StateDecoder.create(trial, latent, self.decoder_width, key=key)
        return (*super().decoders(trial, latent, seed), states)


@dataclass(frozen=True)
class VariBADConfig(TrialMethod):
    """A policy that acts by a belief over tasks, learned by predicting; it explores, then
    exploits."""

    name: ClassVar[str] = "varibad"
    source: ClassVar[str] = "Zintgraf et al., 2020, https://arxiv.org/abs/1910.08348"

    memory: HistoryConfig = GRUConfig()
    """The history encoder, from whose output the belief is computed."""
    latent: int = 8
    """Size of m, the latent vector of a task."""
    predicts: PredictionConfig = RewardsConfig()
    """What the decoders predict from m."""
    kl_weight: float = 1.0
    """β, the weight of the KL divergence from each belief to the one before; 1 gives the evidence
    lower bound."""
    posteriors: int = 10
    """Maximum number of a trial's beliefs that are decoded, drawn anew each time; with 0, all."""
    model_epochs: int = 1
    """Passes of the encoder and the decoders over a step's trials."""
    model_minibatches: int = 8
    """Minibatches per such pass, each a share of the trials."""
    model_rate: float = 1e-3
    """Initial learning rate of the encoder and the decoders; it decays as the policy's does."""
    # A route that is learned while beliefs say nothing is the same in every episode, and a policy
    # keeps to it: in GridNavi some goals were never found (results/LAB.md).
    policy_warm_up: float = 0.0
    """Share of training in which the policy's learning rate rises from zero, while the encoder and
    the decoders learn at theirs; with 0, both rise during `--warm-up`."""
    policy_width: int = 64
    """Width of the two hidden layers of the actor and of the critic."""
    improvement: ImprovementConfig = PPOConfig()
    """How the policy is improved on a batch of trials."""
    discount: float = 0.99
    """γ, the discount, over the whole trial."""
    decay: float = 0.95
    """λ of generalised advantage estimation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ("latent", "policy_width", "model_epochs", "model_minibatches")
        demand_counts(**{name: getattr(self, name) for name in names})
        demand_shares(policy_warm_up=self.policy_warm_up)

    def check(self, problem: Problem) -> None:
        """The memory must be able to read the family, and its output to become a belief."""
        super().check(problem)
        assert isinstance(problem, FamilyProblem)
        if isinstance(self.memory, TableConfig):
            raise BadInput(
                "--memory table answers a row for every action, and varibad makes one belief of "
                "all; give another memory, as --memory gru"
            )
        self.memory.check(problem)

    def policy(self, problem: FamilyProblem, trial: "Trial", seed: int) -> "MetaPolicy":
        """With a belief, the prior at every trial's start."""
        import jax

        from quickstudy.rl.belief import TaskBelief, belief_policy

        if trial.environment.pictures:
            raise BadInput(
                f"varibad predicts and acts by numbers, and {problem.name} shows pictures; take "
                "rl2, whose memory has a convolution for them"
            )
        key = jax.random.key(seed)
        # The memory takes the key itself, and its reader the first of these.
        head_key, policy_key = (jax.random.fold_in(key, n) for n in (2, 3))
        memory = self.memory.encoder(problem, trial, seed)
        belief = TaskBelief.create(memory, self.latent, observed=trial.observed, key=head_key)
        widths = (self.policy_width, self.policy_width)
        return belief_policy(trial, belief, widths, key=policy_key)

    def _policy_budget(self, budget: Budget) -> Budget:
        """With the policy's own warm-up, if it has one."""
        if not self.policy_warm_up:
            return budget
        if budget.warm_up:
            raise BadInput(
                f"--warm-up {budget.warm_up} is for all rates, and --policy-warm-up "
                f"{self.policy_warm_up} for the policy's alone; give one of them, and 0 for the "
                "other"
            )
        rising = int(self.policy_warm_up * budget.steps)
        return replace(budget, warm_up=min(rising, budget.steps - 1))

    def algorithm(self, problem: FamilyProblem, budget: Budget) -> Any:
        """Collect trials, improve the policy, then the model, repeat."""
        from quickstudy.rl.rl2 import RL2
        from quickstudy.rl.varibad import VariBAD

        trial = problem.trial("train", self.copies(budget))
        rl2 = RL2(
            self.policy(problem, trial, budget.seed),
            trial,
            self.improvement.build(self._policy_budget(budget)),
            budget.meta_batch,
            budget.validation_episodes,
            self.discount,
            self.decay,
            scale=self.built_scale(trial),
        )
        rate = replace(budget, learning_rate=self.model_rate)
        return VariBAD(
            rl2,
            self.predicts.decoders(trial, self.latent, budget.seed),
            rate.adam(each=self.model_epochs * self.model_minibatches),
            self.kl_weight,
            self.posteriors,
            self.model_epochs,
            self.model_minibatches,
        )
