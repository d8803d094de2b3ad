"""MAML++: what makes MAML train well."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree, Scalar

from quickstudy.inner import FirstOrder, InnerRule, RatePerStep
from quickstudy.learners.learner import Learner, Metrics, Predictor, Progress, check_outputs
from quickstudy.learners.losses import loss_on
from quickstudy.nets.network import condition
from quickstudy.nets.norm import Norm
from quickstudy.tasks.task import Examples, Task


class MAMLPlusPlus(Learner):
    """How to train your MAML (Antoniou et al., 2019, https://arxiv.org/abs/1810.09502).

    MAML with: a learned rate for every array and step; a scale and shift of every normalisation
    for every step, which the inner loop leaves alone; the query loss after *every* step, weighed
    equally at first and only at the last step after a share `multi_step` of training; and no
    second derivatives in a share `first_order` of it. (The cosine schedule of the outer rate is
    the recipe's.)

    Attributes:
        model: θ.
        rates: α_j, of θ's structure, each leaf `[steps]`.
        norms: scales and shifts, each leaf `[steps + 1, channels]`.
        steps: k.
        multi_step: when the weights have moved to the last step, as a share of training.
        first_order: when second derivatives come in, as a share of training.
        loss: L, for both loops.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.MAMLPlusPlus.create(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    model: Any
    rates: PyTree
    norms: PyTree
    steps: int = eqx.field(static=True, default=5)
    multi_step: float = eqx.field(static=True, default=0.1)
    first_order: float = eqx.field(static=True, default=0.3)

    @classmethod
    def create(
        cls, model: Any, *, inner_lr: float = 0.1, steps: int = 5, **settings: Any
    ) -> "MAMLPlusPlus":
        """All rates start at `inner_lr`, all steps' norms as the model's.

        Args:
            model: θ_0.
            inner_lr: the first α.
            steps: k.
            settings: the remaining attributes.
        """
        theta, norms, _ = _parts(model)
        norms = jax.tree.map(lambda x: jnp.repeat(x[None], steps + 1, 0), norms)
        rates = RatePerStep.like(theta, inner_lr, steps).rates
        return cls(model, rates, norms, steps, **settings)

    def inner_rule(self) -> InnerRule:
        """θ − α_j g."""
        return RatePerStep(self.rates)

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """θ_k with the norms of step k."""
        passed = self._passed(support, self.steps, self.inner_rule())
        return self._at(jax.tree.map(lambda x: x[-1], passed), self.steps, support)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """θ_0 … θ_steps, each with its norms; beyond `self.steps` the last rates and norms stay."""
        passed = self._passed(support, steps, self.inner_rule())
        return jax.lax.map(
            lambda now: self._at(now[0], now[1], support), (passed, jnp.arange(steps + 1))
        )

    def unadapted(self, support: Examples) -> Predictor:
        """θ_0 with the norms of step 0."""
        return self._at(_parts(self.model)[0], 0, support)

    def meta_loss(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Scalar, Metrics]:
        """Σ_j w_j L^ts(θ_j), with weights that move to the last step as training goes on."""
        return self._objective(task, progress, self.inner_rule())

    def meta_gradient(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Learner, Metrics]:
        """First-order early in training, exact afterwards; only one of them is computed."""
        parameters, rest = eqx.partition(self, eqx.is_inexact_array)

        def gradient_by(change: Callable[[InnerRule], InnerRule]) -> Callable[[Any], Any]:
            def objective(parameters: Any) -> tuple[Scalar, Metrics]:
                learner = eqx.combine(parameters, rest)
                return learner._objective(task, progress, change(learner.inner_rule()))

            return jax.grad(objective, has_aux=True)

        first, exact = gradient_by(FirstOrder), gradient_by(lambda rule: rule)
        found, metrics = jax.lax.cond(progress < self.first_order, first, exact, parameters)
        return eqx.combine(found, rest), metrics

    def check(self, task: Task) -> None:
        """The model must have one output per class."""
        super().check(task)
        check_outputs(self, self.model, task)

    def _objective(self, task: Task, progress: Progress, rule: InnerRule) -> tuple[Scalar, Metrics]:
        passed = self._passed(task.support, self.steps, rule)

        def judged(now: Any) -> tuple[Any, Any]:
            return self.judge(self._at(now[0], now[1], task.support)(task.query.x), task.query)

        after = jax.tree.map(lambda x: x[1:], passed)
        losses, metrics = jax.lax.map(judged, (after, 1 + jnp.arange(self.steps)))
        loss = jnp.dot(step_weights(self.steps, progress, self.multi_step), losses)
        return loss, {name: values[-1] for name, values in metrics.items()}

    def _passed(self, support: Examples, steps: int, rule: InnerRule) -> PyTree:
        """θ_0 … θ_steps, stacked."""

        def step(theta: PyTree, j: Any) -> tuple[PyTree, PyTree]:
            def loss(theta: PyTree) -> Any:
                return loss_on(self.loss, self._with(theta, j)(support.x), support)

            moved, _ = rule.move(theta, jax.grad(loss)(theta), None, j)
            return moved, moved

        start = _parts(self.model)[0]
        _, passed = jax.lax.scan(jax.checkpoint(step), start, jnp.arange(steps))
        return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), start, passed)

    def _with(self, theta: PyTree, step: Any) -> Any:
        """The model at θ with the norms of that step."""
        own = jnp.minimum(step, self.steps)
        norms = jax.tree.map(lambda x: x[own], self.norms)
        return eqx.combine(theta, norms, _parts(self.model)[2])

    def _at(self, theta: PyTree, step: Any, support: Examples) -> Predictor:
        return condition(self._with(theta, step), support.x)


def step_weights(steps: int, progress: Progress, until: float) -> Float[Array, " steps"]:
    """How much the loss after each inner step counts.

    1/k each at first; all but the last fall to 0 while `progress` goes to `until`, and the last
    has the rest.

    Example:
        >>> step_weights(4, 0.0, 0.1).tolist(), step_weights(4, 0.1, 0.1).tolist()
        ([0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0])
    """
    left = jnp.clip(1 - jnp.asarray(progress) / until, 0, 1)
    weights = jnp.full(steps, 1 / steps) * left
    return weights.at[-1].set(1 - (steps - 1) / steps * left)


def _parts(model: Any) -> tuple[PyTree, PyTree, PyTree]:
    """What the inner loop moves, the norms' scales and shifts, and all that is no parameter."""
    theta, rest = eqx.partition(model, eqx.is_inexact_array)
    is_norm = jax.tree.map(
        lambda part: jax.tree.map(lambda _: isinstance(part, Norm), part),
        theta,
        is_leaf=lambda part: isinstance(part, Norm),
    )
    norms, theta = eqx.partition(theta, is_norm)
    return theta, norms, rest
