"""Meta-SGD: an initialisation, and for every number of it a rate."""

from typing import Any

from jaxtyping import PyTree

from quickstudy.inner import InnerRule, LearnedRates
from quickstudy.learners.maml import GradientBased


class MetaSGD(GradientBased):
    """Meta-SGD (Li et al., 2017, https://arxiv.org/abs/1707.09835).

    θ' = θ − α ∘ ∇L(θ) with α meta-learned beside θ, one number each, of either sign: the direction
    of the step is learned, too.

    Attributes:
        model: θ.
        rates: α, of θ's structure; `MetaSGD.create` starts them all equal.
        steps: k; 1 in the paper.
        loss: L.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.MetaSGD.create(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    rates: PyTree

    @classmethod
    def create(
        cls, model: Any, *, inner_lr: float = 0.01, steps: int = 1, **settings: Any
    ) -> "MetaSGD":
        """All rates start at `inner_lr`; `settings` may give the `loss`."""
        return cls(model, LearnedRates.like(model, inner_lr).rates, steps=steps, **settings)

    def inner_rule(self) -> InnerRule:
        """θ − α ∘ g."""
        return LearnedRates(self.rates)
