"""MAML with any optimiser in its inner loop."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.experiments.methods.maml import InnerStepsConfig
from quickstudy.experiments.problem import ExampleProblem
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class InnerOptimiserConfig(Choice):
    """Base: an optimiser of the inner loop."""

    @abc.abstractmethod
    def build(self, rate: float) -> "optax.GradientTransformation":
        """The optimiser at that rate."""


@dataclass(frozen=True)
class MomentumConfig(InnerOptimiserConfig):
    """Gradient descent with momentum."""

    name: ClassVar[str] = "momentum"

    momentum: float = 0.9
    """Share of the last update that is kept."""

    def build(self, rate: float) -> "optax.GradientTransformation":
        """Descent."""
        import optax

        return optax.sgd(rate, momentum=self.momentum)


@dataclass(frozen=True)
class InnerAdamConfig(InnerOptimiserConfig):
    """Adam, whose root has a slope everywhere."""

    name: ClassVar[str] = "adam"

    def build(self, rate: float) -> "optax.GradientTransformation":
        """Adam."""
        import optax

        # Where a gradient is 0, √v has no finite slope, and the meta-gradient would be
        # not-a-number.
        return optax.adam(rate, eps_root=1e-8)


@dataclass(frozen=True)
class InnerRMSPropConfig(InnerOptimiserConfig):
    """RMSProp, whose root has a slope everywhere."""

    name: ClassVar[str] = "rmsprop"

    def build(self, rate: float) -> "optax.GradientTransformation":
        """RMSProp; its ε stands under the root."""
        import optax

        return optax.rmsprop(rate, eps=1e-8, eps_in_sqrt=True)


@dataclass(frozen=True)
class InnerLoopConfig(InnerStepsConfig):
    """MAML with an optimiser of your choice in the inner loop."""

    name: ClassVar[str] = "inner-loop"
    source: ClassVar[str] = "Finn et al., 2017, https://arxiv.org/abs/1703.03400"

    inner_lr: float = 0.01
    """α, the inner optimiser's learning rate."""
    inner_optimiser: InnerOptimiserConfig = InnerAdamConfig()
    """The optimiser of the inner loop."""
    order: Literal["exact", "first"] = "exact"
    """Whether the meta-gradient includes second derivatives."""

    def how(self, problem: ExampleProblem) -> dict[str, Any]:
        """Steps and loss; the rate is the optimiser's."""
        return {"steps": self.inner_steps, "loss": problem.loss}

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """The general inner loop."""
        from quickstudy.inner import FirstOrder, Optimiser
        from quickstudy.learners.maml import InnerLoop

        rule = Optimiser(self.inner_optimiser.build(self.inner_lr))
        if self.order == "first":
            rule = FirstOrder(rule)
        return InnerLoop(self.model(problem, seed), rule=rule, **self.how(problem))
