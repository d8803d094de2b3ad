"""MAML++: what makes MAML train well."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree, Scalar

from quickstudy.errors import BadInput, is_whole
from quickstudy.inner import FirstOrder, InnerRule, RatePerStep
from quickstudy.learners.learner import Learner, Metrics, Predictor, Progress, check_outputs
from quickstudy.learners.losses import loss_on
from quickstudy.learners.recomputing import recomputed
from quickstudy.nets.network import condition
from quickstudy.nets.norm import Norm, observing, running_statistics
from quickstudy.tasks.task import Examples, Task


def _as_it_is(network: Any) -> Any:
    return network


class MAMLPlusPlus(Learner):
    """How to train your MAML (Antoniou et al., 2019, https://arxiv.org/abs/1810.09502).

    MAML with: a learned rate for every array and step; a scale and shift of every normalisation
    for every step, which the inner loop leaves alone; the query loss after *every* step, weighed
    equally at first and only at the last step after a share `multi_step` of training; and no
    second derivatives in a share `first_order` of it. (The cosine schedule of the outer rate is
    the recipe's.)

    In a network of the norm `running` every step j also has averages m_j of batch statistics.
    Meta-training normalises by the batch at hand, support or query, and moves m_j towards the
    moments of the support activations at θ_j; afterwards m_j normalises, in the inner loop and for
    queries, so predictions are inductive. In the place of m_j, `meta_gradient` holds m_j − moments,
    of which plain descent, `optax.sgd(0.1)` in the recipe, makes a moving average: over
    meta-batches, where the paper takes one task after the other.

    Attributes:
        model: θ.
        rates: α_j, of θ's structure, each leaf `[steps]`.
        norms: scales and shifts, and averages where there are some, each leaf
            `[steps + 1, channels]`.
        steps: k.
        multi_step: when the weights have moved to the last step, as a share of training.
        first_order: when second derivatives come in, as a share of training.
        form: what becomes of the network before it is used; meta-training has it observe batches.
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
    form: Callable[[Any], Any] = eqx.field(static=True, default=_as_it_is)

    keeps_statistics: ClassVar[bool] = True

    def __check_init__(self):
        if not is_whole(self.steps):
            raise BadInput(
                f"steps is {self.steps} and MAML++ learns from the loss after every inner step; "
                "give a whole number of 1 or more"
            )

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
        # One more than steps: k steps lead through k + 1 points, θ_0 … θ_k.
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
        learner = self.in_training()
        return learner._objective(task, progress, learner.inner_rule())

    def meta_gradient(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Learner, Metrics]:
        """First-order early in training, exact afterwards; only one of them is computed."""
        parameters, rest = eqx.partition(self, eqx.is_inexact_array)

        def gradient_by(change: Callable[[InnerRule], InnerRule]) -> Callable[[Any], Any]:
            def objective(parameters: Any) -> tuple[Scalar, Metrics]:
                learner = eqx.combine(parameters, rest).in_training()
                return learner._objective(task, progress, change(learner.inner_rule()))

            return jax.grad(objective, has_aux=True)

        first, exact = gradient_by(FirstOrder), gradient_by(lambda rule: rule)
        # `progress` is one number for all tasks, so that under `vmap`, too, one branch is computed.
        found, metrics = jax.lax.cond(progress < self.first_order, first, exact, parameters)
        return self._with_statistics(eqx.combine(found, rest), task.support), metrics

    def in_training(self) -> "MAMLPlusPlus":
        """The same learner with batches' own statistics in the place of averages."""
        return dataclasses.replace(self, form=observing)

    def check(self, task: Task) -> None:
        """The model must have one output per class."""
        check_outputs(self, self.model, task)
        super().check(task)

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
        body = recomputed(step, start, jnp.int32(0), steps)
        _, passed = jax.lax.scan(body, start, jnp.arange(steps))
        return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), start, passed)

    def _with(self, theta: PyTree, step: Any) -> Any:
        """The model at θ with the norms of that step."""
        own = jnp.minimum(step, self.steps)
        norms = jax.tree.map(lambda x: x[own], self.norms)
        return self.form(eqx.combine(theta, norms, _parts(self.model)[2]))

    def _with_statistics(self, gradient: "MAMLPlusPlus", support: Examples) -> "MAMLPlusPlus":
        """The gradient with m_j − moments at θ_j in the place of the averages."""
        averages = running_statistics(self.norms)
        if not averages:
            return gradient
        learner = self.in_training()
        # A second time, as the gradient's own pass returns none of its activations.
        passed = learner._passed(support, self.steps, self.inner_rule())

        def seen(now: Any) -> Any:
            return running_statistics(learner._at(now[0], now[1], support))

        moments = jax.lax.map(seen, (passed, jnp.arange(self.steps + 1)))
        # No slope of any loss: averages move in the gradient's own leaves, so that the outer loop
        # and the mesh need no second path for them.
        away = [m - now for m, now in zip(averages, moments, strict=True)]
        return eqx.tree_at(lambda own: running_statistics(own.norms), gradient, away)

    def _at(self, theta: PyTree, step: Any, support: Examples) -> Predictor:
        return condition(self._with(theta, step), support.x)


def step_weights(steps: int, progress: Progress, until: float) -> Float[Array, " steps"]:
    """How much the loss after each inner step counts.

    1/k each at first; all but the last fall to 0 while `progress` goes to `until`, and the last
    has the rest. With `until` at 0 it is the last alone from the start.

    Example:
        >>> step_weights(4, 0.0, 0.1).tolist(), step_weights(4, 0.1, 0.1).tolist()
        ([0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0])
        >>> step_weights(2, 0.0, 0.0).tolist()
        [0.0, 1.0]
    """
    now = jnp.asarray(progress)
    # `until` may be 0, no multi-step loss at all: 0 / 0 made every weight not-a-number.
    left = jnp.where(now < until, 1 - now / (until or 1), 0)
    weights = jnp.full(steps, 1 / steps) * left
    return weights.at[-1].set(1 - (steps - 1) / steps * left)


def _parts(model: Any) -> tuple[PyTree, PyTree, PyTree]:
    """What the inner loop moves, the norms' scales and shifts, and all that is no parameter."""
    theta, rest = eqx.partition(model, eqx.is_inexact_array)
    # By the modules that hold them: as leaves, scales and shifts look like all other arrays.
    is_norm = jax.tree.map(
        lambda part: jax.tree.map(lambda _: isinstance(part, Norm), part),
        theta,
        is_leaf=lambda part: isinstance(part, Norm),
    )
    norms, theta = eqx.partition(theta, is_norm)
    return theta, norms, rest
