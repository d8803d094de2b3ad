"""CAVIA: fast context adaptation via meta-learning."""

from typing import Any

from quickstudy.inner import FromZero, InnerRule, Only, Rate
from quickstudy.learners.maml import MAML
from quickstudy.nets.conditioned import WithContext


class CAVIA(MAML):
    """Context adaptation (Zintgraf et al., 2019, https://arxiv.org/abs/1810.03642).

    MAML whose inner loop moves nothing but a context that the network reads beside its inputs,
    c_{j+1} = c_j − α ∇_c L(θ, c_j) from c_0 = 0 in every task; all other parameters θ are
    meta-learned and shared. What a task needs is then told by a few numbers. c_0 itself is not
    meta-learned: the first layer's biases do that already.

    Attributes:
        model: θ, a network that reads a context.
        inner_lr: α; larger than MAML's, as it cannot harm what is shared.
        steps: k.
        loss: L, for both loops.

    Example:
        >>> import jax, quickstudy as qs
        >>> network = qs.MLP(1 + 4, (40, 40, 1), key=jax.random.key(0))
        >>> model = qs.WithContext(network, jax.numpy.zeros(4))
        >>> learner = qs.CAVIA(model, inner_lr=1.0, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    def inner_rule(self) -> InnerRule:
        """c − α g, from zero."""
        return Only(FromZero(Rate(self.inner_lr)), _context)


def _context(theta: WithContext) -> Any:
    return theta.context
