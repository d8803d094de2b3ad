"""CAVIA: only a context that the network reads beside its inputs adapts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.errors import demand_counts
from quickstudy.experiments.keys import head_key, weights_key
from quickstudy.experiments.methods.maml import InnerStepsConfig
from quickstudy.experiments.networks import with_head
from quickstudy.experiments.problem import ExampleProblem

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class CAVIAConfig(InnerStepsConfig):
    """MAML whose inner loop moves only a context, which starts at zero in every task."""

    name: ClassVar[str] = "cavia"
    source: ClassVar[str] = "Zintgraf et al., 2019, https://arxiv.org/abs/1810.03642"

    # The authors' code takes 1.0 on sinusoids, of PyTorch's squared error, a mean.
    inner_lr: float = 1.0
    """α, the inner learning rate of the context."""
    context: int = 5
    """Size of the context vector; for images, each entry is one more channel, of one value."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """A network of inputs and context, with a drawn head: one of zeros moves no context."""
        import jax.numpy as jnp

        from quickstudy.learners.cavia import CAVIA
        from quickstudy.nets.conditioned import WithContext

        demand_counts(context=self.context)
        *places, last = problem.inputs
        inputs = (*places, last + self.context)
        network = with_head(
            self.body_of(problem),
            inputs,
            problem.outputs,
            key=weights_key(seed),
            head=head_key(seed),
        )
        return CAVIA(WithContext(network, jnp.zeros(self.context)), **self.how(problem))
