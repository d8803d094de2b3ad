"""MAML: an initialisation from which a few gradient steps suffice."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import PRNGKeyArray, PyTree

from quickstudy.inner import InnerRule, Rate
from quickstudy.learners.descent import descent, predictors
from quickstudy.learners.finite_slope import demand_finite_slope
from quickstudy.learners.learner import Learner, Predictor, check_outputs
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples, Task


class GradientBased(Learner):
    """A learner whose f_adapt is `steps` steps of an inner rule on the support loss, from the
    meta-learned θ_0 = `model`.

    Attributes:
        model: θ, any network from `[n, ...]` to `[n, outputs]`.
        steps: k, the number of inner steps.
    """

    model: Any
    steps: int = eqx.field(static=True, default=1, kw_only=True)

    @abc.abstractmethod
    def inner_rule(self) -> InnerRule:
        """How θ moves."""

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """θ_k, conditioned on the support set's statistics if the model keeps any."""
        return self._adapted(support, self.steps)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """θ_0 … θ_steps on a first axis `[steps + 1, ...]`; more steps than in training, too."""
        return predictors(*self._descent(support, steps), support)

    def unadapted(self, support: Examples) -> Predictor:
        """θ_0: the initialisation itself."""
        return condition(self.model, support.x)

    def check(self, task: Task) -> None:
        """The model must have one output per class."""
        check_outputs(self, self.model, task)
        super().check(task)

    def _adapted(self, support: Examples, steps: int) -> Predictor:
        return condition(self._descent(support, steps)[0], support.x)

    def _descent(self, support: Examples, steps: int) -> tuple[Any, PyTree]:
        return descent(self.model, support, self.loss, rule=self.inner_rule(), steps=steps)


class MAML(GradientBased):
    """Model-agnostic meta-learning (Finn et al., 2017, https://arxiv.org/abs/1703.03400).

    f_adapt is `steps` steps of gradient descent on the support loss, θ_{j+1} = θ_j − α ∇L(θ_j),
    from the meta-learned θ_0 = `model`. The meta-gradient runs through them exactly:
    ∇L^ts(θ_k) · Π_j (I − α ∇²L^tr(θ_j)). Each step is recomputed on the way back, so memory does
    not grow with the activations of all steps.

    Attributes:
        model: θ, any network from `[n, ...]` to `[n, outputs]`.
        inner_lr: α, the inner step size.
        steps: k, the number of inner steps.
        loss: L, for both loops.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.MAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    # The paper's for Omniglot with 5 ways, with one step.
    inner_lr: float = eqx.field(static=True, default=0.4)

    def inner_rule(self) -> InnerRule:
        """θ − α g."""
        return Rate(self.inner_lr)


class InnerLoop(GradientBased):
    """MAML with any inner rule, and so with any Optax optimiser inside.

    Attributes:
        model: θ.
        rule: how θ moves; its arrays are meta-learned with θ.
        steps: k, the number of inner steps.
        loss: L, for both loops.

    Example:
        >>> import jax, optax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> rule = qs.FirstOrder(qs.Optimiser(optax.adam(1e-2)))
        >>> learner = qs.InnerLoop(model, rule, steps=3, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    rule: InnerRule

    def inner_rule(self) -> InnerRule:
        """The one given."""
        return self.rule

    def check(self, task: Task) -> None:
        """One output per class, and a rule that can be differentiated."""
        super().check(task)
        demand_finite_slope(self.rule, self.model)
