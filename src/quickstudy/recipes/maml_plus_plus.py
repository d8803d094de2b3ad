"""MAML++: MAML with what makes it train well."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.recipes.data import OnData
from quickstudy.recipes.lengths import Long, Short, Waves

if TYPE_CHECKING:
    import optax

    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class WithMAMLPlusPlus(OnData):
    """MAML++."""

    source: ClassVar[str] = "Antoniou et al., 2019, https://arxiv.org/abs/1810.09502"

    inner_lr: float = 0.1
    """All rates at the start."""
    inner_steps: int = 5
    """k, inner steps."""
    multi_step: float = 0.1
    """When only the loss after the last inner step counts, as a share of training."""
    first_order: float = 0.3
    """When second derivatives come in, as a share of training."""
    averaging: float = 0.1
    """How far the averages of `--norm running` move in a meta-step."""

    def learner(self) -> "Learner":
        """MAML with what makes it train well."""
        from quickstudy.learners.maml_plus_plus import MAMLPlusPlus

        return MAMLPlusPlus.create(
            self.model(),
            inner_lr=self.inner_lr,
            steps=self.inner_steps,
            multi_step=self.multi_step,
            first_order=self.first_order,
            loss=self.loss,
        )

    def optimiser(self) -> "optax.GradientTransformation":
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

        return optax.partition(
            {"learned": super().optimiser(), "average": optax.sgd(self.averaging)}, kinds
        )


@dataclass(frozen=True)
class MAMLPlusPlusGlyphs(WithMAMLPlusPlus, Short):
    """MAML++ on warped printed characters."""

    name: ClassVar[str] = "maml++-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "6 min on 2 cores"
    steps: int = 1500
    inner_steps: int = 3


@dataclass(frozen=True)
class MAMLPlusPlusOmniglot(WithMAMLPlusPlus, Long):
    """MAML++ on Omniglot."""

    name: ClassVar[str] = "maml++-omniglot"
    reaches: ClassVar[str] = "99.47 / 99.93 / 97.65 / 99.33 % (5-way 1, 5-shot; 20-way 1, 5-shot)"
    takes: ClassVar[str] = "about 2 h on 2 cores"


@dataclass(frozen=True)
class MAMLPlusPlusSinusoid(WithMAMLPlusPlus, Waves):
    """MAML++ on sinusoids.

    A squared error has no bound, and five steps of descent at a rate of 0.01 make it infinite for
    one in sixty tasks at the first weights. Hence fewer and shorter steps, whose rates are learned
    slowly, and second derivatives from the start: without them nothing tells the meta-gradient
    that a rate is about to become too large.
    """

    name: ClassVar[str] = "maml++-sinusoid"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "4 min on 2 cores"
    inner_lr: float = 0.003
    inner_steps: int = 3
    first_order: float = 0.0
    rates_learning_rate: float = 1e-5
    """The outer rate of the inner rates, on the same cosine; with β itself they double in three
    steps."""

    def optimiser(self) -> "optax.GradientTransformation":
        """Adam, slower on the inner rates."""
        import jax
        import optax

        def inner_rates(learner: Any) -> Any:
            return jax.tree.map_with_path(lambda path, _: path[0].name == "rates", learner)

        slower = optax.scale(self.rates_learning_rate / self.learning_rate)
        return optax.chain(super().optimiser(), optax.masked(slower, inner_rates))
