"""What recipes of meta-reinforcement learning share: policy, improvement, and how they are tested.

A recipe is made of two halves, `class RL2Bandit(WithRL2, OnBandits)`: what learns, and where it
acts. JAX is imported inside the methods.
"""

import abc
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import demand_counts
from quickstudy.recipes.recipe import Recipe, Source, Split, Trainer

if TYPE_CHECKING:
    from quickstudy.envs.environment import Environment
    from quickstudy.evaluation.trials import Reference
    from quickstudy.experiments.pictures.watch import Episode
    from quickstudy.nets.memory import Memory
    from quickstudy.rl.policy import MetaPolicy
    from quickstudy.rl.ppo import Improvement
    from quickstudy.rl.rl2 import RL2
    from quickstudy.rl.trial import Trial
    from quickstudy.training.algorithm import AnyAlgorithm


@dataclass(frozen=True)
class MetaRL(Recipe):
    """Base of the recipes for policies that act in trials."""

    stage: ClassVar[str] = "episode"
    """What rewards are told by: an "episode" of a trial, or an "update"."""

    episodes: int = 10
    """n, episodes of a trial."""

    @abc.abstractmethod
    def environment(self, split: Split) -> "Environment":
        """The family of MDPs of a split."""

    def trial(self, split: Split) -> "Trial":
        """What the policy acts in."""
        from quickstudy.rl.trial import Trial

        return Trial(self.environment(split), self.episodes)

    def definition(self) -> dict[str, str]:
        """Which environment it is, and what else a score depends on, as evaluations note it."""
        return {"environment": self.environment("test").definition}

    def states(self) -> int | None:
        """How many states there are, if they are observed one-hot; `None` if they are not."""
        return None

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Whose scores stand beside the policy's: by default, that of random actions."""
        from quickstudy.evaluation.trials import acting
        from quickstudy.oracles.simple import Random

        trial = self.trial(split)
        return {"random": acting(Random(trial.environment), trial)}

    def earning(self, learned: Any, split: Split) -> "Reference":
        """What was learned, acting in the MDPs of a split: rewards `[trials, stages]`."""
        from quickstudy.evaluation.trials import acting

        return acting(learned, self.trial(split), in_a_row=self.in_a_row)

    @property
    def in_a_row(self) -> int:
        """MDPs that follow each other with the memory left as it is; the last is scored."""
        return 1

    def watching(self, learned: Any, trial: "Trial", task: Any, key: Any) -> "list[Episode]":
        """One trial to be looked at. The key is consumed."""
        from quickstudy.experiments.pictures.watch import watch

        return watch(learned, trial, task, key)

    @abc.abstractmethod
    def algorithm(self) -> "AnyAlgorithm":
        """What `quickstudy.fit` drives, with all settings."""

    def training(self, source: Source | None = None) -> Trainer:
        """Act and improve."""
        import jax

        from quickstudy.training.fit import fit

        # Settings that cannot be are refused here, before a run's folder is made.
        algorithm, plan = self.algorithm(), self.plan()

        def train(**where: Any) -> Any:
            with self.closing(algorithm):
                return fit(algorithm, plan, key=jax.random.key(self.seed + 1), **where).best

        return train

    def closing(self, algorithm: Any) -> AbstractContextManager[Any]:
        """Ends what the algorithm's environments run; compiled ones run nothing."""
        return nullcontext()

    @property
    def test_trials(self) -> int:
        """Test trials."""
        return 1000


@dataclass(frozen=True)
class WithRL2(MetaRL):
    """RL² with PPO over whole trials."""

    meta_batch: int = 1024
    """Trials per step."""
    learning_rate: float = 3e-3
    clip: float = 0.5
    validate_every: int = 50
    validation_episodes: int = 1000
    """Trials per validation."""
    memory: Literal[
        "gru", "lstm", "snail", "transformer", "context", "context-mean", "table", "none"
    ] = "gru"
    """The history encoder; `none` is the baseline that sees the current observation only, and
    `table` counts, for bandits and tabular MDPs, and knows that actions are interchangeable."""
    width: int = 64
    """The size of its output h_t, of a table's for each action; each layer of SNAIL adds half as
    many features."""
    rounds: int = 1
    """Of a table: how often values are passed from states to the actions that lead there."""
    reader: int = 0
    """The size of a layer that reads the observation before the memory does; 0 for none."""
    improvement: Literal["ppo", "policy-gradient", "trpo"] = "ppo"
    """How the policy is improved on a batch of its trials."""
    discount: float = 0.99
    """γ, over the whole trial."""
    decay: float = 0.95
    """λ of generalised advantages."""
    epochs: int = 4
    """PPO: passes over the same trials."""
    minibatches: int = 4
    """PPO: how many shares of trials a pass is made of."""
    entropy_weight: float = 0.003
    """c_e: rewards policies that stay undecided."""
    radius: float = 0.01
    """TRPO: δ, how far in nats the policy may move in a step."""
    parts: int = 1
    """Backpropagation is cut between so many equal parts of a trial."""
    forgets: Literal["between-tasks", "between-episodes", "never"] = "between-tasks"
    """When memory is cleared; the others are there to show why it must be between tasks."""
    told: Literal["everything", "no-beginnings"] = "everything"
    """What the policy is told; without beginnings it cannot know that another MDP has begun, and
    clear its memory by itself."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(width=self.width, epochs=self.epochs, minibatches=self.minibatches)

    def learner(self) -> "MetaPolicy":
        """An untrained policy."""
        from quickstudy.rl import policy

        trial = self.trial("train")
        forgets, told = (
            getattr(policy, name.replace("-", "_")) for name in (self.forgets, self.told)
        )
        return policy.MetaPolicy.create(trial, self.encoder(trial), forgets=forgets, told=told)

    def encoder(self, trial: "Trial") -> "Memory":
        """The history encoder, untrained, behind a reader if there is to be one."""
        import jax

        from quickstudy.nets.reader import Reader

        observed = trial.inputs - trial.environment.actions.size - 3
        if not self.reader or self.memory == "none":
            return self.remembering(trial, trial.inputs, observed)
        memory = self.remembering(trial, self.reader + trial.inputs - observed, self.reader)
        # Another key than the memory's own.
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        return Reader.create(memory, self.reader, observed=observed, key=key)

    def remembering(self, trial: "Trial", inputs: int, observed: int) -> "Memory":
        """The memory itself, untrained.

        Args:
            trial: what it must look back over.
            inputs: the size of x_t.
            observed: how much of it tells of the observation.
        """
        import jax

        from quickstudy.nets.context import Context, GaussianProduct, Mean
        from quickstudy.nets.memory import GRU, LSTM
        from quickstudy.nets.memoryless import Memoryless
        from quickstudy.nets.snail import SNAIL
        from quickstudy.nets.transformer import Transformer

        key, past = jax.random.key(self.seed), trial.steps
        if self.memory == "none":
            return Memoryless.create(self.width, observed=observed, key=key)
        if self.memory in ("context", "context-mean"):
            pooling = GaussianProduct() if self.memory == "context" else Mean()
            return Context.create(inputs, self.width, observed=observed, pooling=pooling, key=key)
        if self.memory == "table":
            return self.counting(trial, key)
        if self.memory == "snail":
            half = self.width // 2
            stack = ((half, half), (half, half))
            return SNAIL.create(inputs, filters=half, attention=stack, past=past, key=key)
        if self.memory == "transformer":
            return Transformer.create(inputs, self.width, past=past, key=key)
        return {"gru": GRU, "lstm": LSTM}[self.memory].create(inputs, self.width, key=key)

    def counting(self, trial: "Trial", key: Any) -> "Memory":
        """A table, untrained, where states can be counted. The key is consumed."""
        from quickstudy.errors import BadInput
        from quickstudy.nets.table import TableMemory

        states, environment = self.states(), trial.environment
        if states is None:
            raise BadInput(
                f"--memory table counts states, and those of {self.name} are not listed one by "
                "one; give another memory, as --memory gru"
            )
        if self.reader:
            raise BadInput(
                f"--reader {self.reader} makes an observation small before a memory reads it, and "
                "--memory table counts states as they are; leave --reader out"
            )
        lengths = {"past": trial.steps, "horizon": environment.horizon}
        sizes = (states, environment.actions.size, self.width)
        return TableMemory.create(*sizes, rounds=self.rounds, **lengths, key=key)

    def improved_by(self) -> "Improvement":
        """What improves the policy."""
        from quickstudy.rl.ppo import PPO, PolicyGradient
        from quickstudy.rl.trpo import TRPO
        from quickstudy.rl.trust_region import TrustRegion

        if self.improvement == "policy-gradient":
            return PolicyGradient(self.adam(), entropy_weight=self.entropy_weight)
        if self.improvement == "trpo":
            steps = TRPO.critic_steps
            return TRPO(self.adam(each=steps), TrustRegion(self.radius), steps)
        adam = self.adam(each=self.epochs * self.minibatches)
        return PPO(adam, self.epochs, self.minibatches, entropy_weight=self.entropy_weight)

    def rl2(self) -> "RL2":
        """RL² with all settings."""
        from quickstudy.rl.rl2 import RL2

        return RL2(
            self.learner(),
            self.trial("train"),
            self.improved_by(),
            self.meta_batch,
            self.validation_episodes,
            self.discount,
            self.decay,
            parts=self.parts,
            in_a_row=self.in_a_row,
        )

    def algorithm(self) -> "AnyAlgorithm":
        """In compiled environments it is all there is to do."""
        return self.rl2()

    @property
    def in_a_row(self) -> int:
        """What is never cleared must have another MDP's memories to show it."""
        return 2 if self.forgets == "never" else 1
