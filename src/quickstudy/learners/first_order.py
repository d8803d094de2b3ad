"""First-order MAML: the meta-gradient without second derivatives."""

from quickstudy.inner import FirstOrder, InnerRule, Rate
from quickstudy.learners.maml import MAML


class FirstOrderMAML(MAML):
    """First-order MAML (Finn et al., 2017, https://arxiv.org/abs/1703.03400, section 5.2; named
    FOMAML by Nichol et al., 2018, https://arxiv.org/abs/1803.02999).

    MAML with every Hessian taken as zero: the meta-gradient is ∇L^ts(θ_k) itself.

    Attributes:
        model: θ.
        inner_lr: α.
        steps: k.
        loss: L.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.FirstOrderMAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> gradient, metrics = learner.meta_gradient(task)
    """

    def inner_rule(self) -> InnerRule:
        """θ − α g with g constant."""
        return FirstOrder(Rate(self.inner_lr))
