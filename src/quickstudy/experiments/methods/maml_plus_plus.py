"""MAML++: MAML with what makes it train well."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.method import LearnerMethod
from quickstudy.experiments.problem import ExampleProblem

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class MAMLPlusPlusConfig(LearnerMethod):
    """MAML with a rate per layer and step, a loss after every step, and annealed derivatives."""

    name: ClassVar[str] = "maml++"
    source: ClassVar[str] = "Antoniou et al., 2019, https://arxiv.org/abs/1810.09502"

    # The authors' code takes 0.1 on Omniglot, of PyTorch's cross-entropy, a mean.
    inner_lr: float = 0.1
    """Initial value of all inner rates."""
    inner_steps: int = 5
    """k, the number of inner steps."""
    multi_step: float = 0.1
    """Share of training after which only the loss after the last inner step counts."""
    first_order: float = 0.3
    """Share of training after which second derivatives are included."""
    averaging: float = 0.1
    """How far the running averages of `--norm running` move in a meta-step."""
    rates_learning_rate: float = 0.0
    """Outer learning rate of the inner rates, on the same cosine; with 0, β."""

    def learner(self, problem: ExampleProblem, seed: int) -> "Learner":
        """MAML++."""
        from quickstudy.learners.maml_plus_plus import MAMLPlusPlus

        return MAMLPlusPlus.create(
            self.model(problem, seed),
            inner_lr=self.inner_lr,
            steps=self.inner_steps,
            multi_step=self.multi_step,
            first_order=self.first_order,
            loss=problem.loss,
        )

    def optimiser(self, budget: Budget) -> "optax.GradientTransformation":
        """Adam; averages move by plain descent, which makes of them moving averages."""
        import equinox as eqx
        import jax
        import optax

        from quickstudy.nets.norm import running_statistics

        def kinds(learner: Any) -> Any:
            learned = jax.tree.map(lambda _: "learned", learner)
            return eqx.tree_at(
                lambda own: running_statistics(own.norms), learned, replace_fn=lambda _: "average"
            )

        moved: dict[Any, Any] = {"learned": budget.adam(), "average": optax.sgd(self.averaging)}
        found = optax.partition(moved, kinds)
        if not self.rates_learning_rate:
            return found
        # Behind Adam: in front of it, a scale of the gradient would divide out.
        slower = optax.scale(self.rates_learning_rate / budget.learning_rate)
        return optax.chain(found, optax.masked(slower, _inner_rates))


def _inner_rates(learner: Any) -> Any:
    import jax

    return jax.tree.map_with_path(lambda path, _: path[0].name == "rates", learner)
