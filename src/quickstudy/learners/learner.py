"""The learner: θ* = argmin_θ Σ_i L(φ_i, D_i^ts), φ_i = f_adapt(θ, D_i^tr)."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Scalar

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput, QuickstudyError
from quickstudy.learners.adapted import shape_of, through_the_door
from quickstudy.learners.losses import Loss, cross_entropy, loss_on, metric_name, score
from quickstudy.mesh import Metrics
from quickstudy.nets.network import (
    all_per_example,
    demand_conditioned,
    has_support_norm,
    is_transductive,
)
from quickstudy.nets.norm import running_statistics
from quickstudy.tasks.task import Examples, Task, TaskDistribution

Predictor = Callable[[Any], Any]
Progress = Float[Array, ""] | float
"""The share of training that is done, from 0 to 1."""

# The methods that a subclass may write and that compute.
_ADAPTING = {"adapt", "unadapted", "adapt_by_steps"}
_COMPILED = _ADAPTING | {"meta_loss", "meta_gradient"}


class Learner(eqx.Module):
    """What reads a support set and becomes a predictor; its array leaves are θ.

    A subclass writes `adapt`, and is done. The rest has defaults that suit most learners:
    `meta_loss` is the query loss of the adapted predictor, `meta_gradient` its gradient.

    These methods are pure. Called outside `jit` and its like they compile once for each shape, a
    subclass's, too (`quickstudy.compiling`); within `jax.disable_jit()` they run line by line.

    Attributes:
        loss: L, from a predictor's outputs and the targets to a scalar.
    """

    loss: Loss = eqx.field(static=True, default=cross_entropy, kw_only=True)

    keeps_statistics: ClassVar[bool] = False
    """Whether its meta-gradient moves the averages of the norm `running`."""

    bounded_scores: ClassVar[bool] = False
    """Whether outputs are scores from 0 to 1, of which no softmax is taken."""

    def __init_subclass__(cls, **settings: Any):
        """Whatever adapts checks its support set, reads queries as it read that, and compiles
        once for each shape."""
        super().__init_subclass__(**settings)
        # Here and not by decorators, so that a user's subclass gets both without asking for them.
        for name in _COMPILED & vars(cls).keys():
            once = compiled_once(vars(cls)[name])
            setattr(cls, name, through_the_door(once) if name in _ADAPTING else once)

    @abc.abstractmethod
    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """f_adapt(θ, D^tr): the predictor φ, from inputs `[n, ...]` to outputs `[n, d]`.

        Networks that keep the support set's statistics (norm `support`) get to see it by
        `quickstudy.nets.network.condition(network, support.x)`.

        Args:
            support: D^tr.
            key: consumed, by learners that adapt at random; others ignore it.
        """

    @compiled_once
    def unadapted(self, support: Examples) -> Predictor:
        """The predictor before it has learned from the support set's labels.

        By default it finds all classes equally likely (or every target zero).
        """
        return lambda x: jnp.zeros((x.shape[0], support.outputs), jnp.float32)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor | None:
        """The predictors after 0, 1 ... `steps` steps of adaptation, stacked on a first axis.

        `None` for learners that do not adapt by steps.
        """
        return None

    @compiled_once
    def meta_loss(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Scalar, Metrics]:
        """L(f_adapt(θ, D^tr), D^ts), and what else was measured on the query set.

        Args:
            task: support and query set.
            key: consumed by `adapt`.
            progress: the share of meta-training that is done, for objectives that are annealed.
        """
        return self.judge(self.adapt(task.support, key=key)(task.query.x), task.query)

    def judge(self, outputs: Any, query: Examples) -> tuple[Scalar, Metrics]:
        """L of a predictor's outputs on the query set, and the metrics: loss, and accuracy or
        squared error."""
        loss = loss_on(self.loss, outputs, query)
        return loss, {"loss": loss, metric_name(query): score(outputs, query)}

    @compiled_once
    def meta_gradient(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple["Learner", Metrics]:
        """The direction that the outer optimiser descends: ∇_θ of `meta_loss`.

        Returns:
            a learner whose leaves are the gradient, and the metrics.
        """

        def objective(learner: "Learner") -> tuple[Scalar, Metrics]:
            return learner.meta_loss(task, key=key, progress=progress)

        return eqx.filter_grad(objective, has_aux=True)(self)

    def check(self, task: Task) -> None:
        """Raise `BadInput` if the learner cannot take tasks of these shapes."""
        if not all_per_example(self):
            refuse_padding(self, task)
        if running_statistics(self) and not self.keeps_statistics:
            raise BadInput(
                f"{type(self).__name__} does not keep the averages that the norm 'running' takes; "
                "give the network another norm ('layer', say), or train MAMLPlusPlus"
            )
        if has_support_norm(self):
            # Whether `adapt` calls `condition` shows only in what it returns; shapes are enough for
            # that.
            predictor = shape_of(_adapted, self, task.support)
            demand_conditioned(predictor, f"the predictor of {type(self).__name__}")

    def check_support(self, support: Examples) -> None:
        """What `adapt` checks: `check`, of a task whose queries are the support set."""
        self.check(Task(support, support))

    @property
    def transductive(self) -> bool:
        """Whether a query's prediction may depend on the other queries."""
        return is_transductive(self)


def demand_fitting(learner: Learner, tasks: TaskDistribution) -> Task:
    """The shapes of one of these tasks, which the learner can take; nothing is computed.

    Args:
        learner: what would adapt.
        tasks: p(T).

    Raises:
        BadInput: it cannot.

    Example:
        >>> import quickstudy as qs
        >>> model = qs.MLP(1, (8, 1), key=jax.random.key(0))
        >>> maml = qs.MAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> demand_fitting(maml, qs.Sinusoid(shots=5)).support.x.shape
        (5, 1)
    """
    task = eqx.filter_eval_shape(tasks.sample, jax.random.key(0))
    demand_taken(learner, task)
    return task


def demand_taken(learner: Learner, task: Task) -> None:
    """Raise `BadInput` if a learner cannot take a task of these shapes; nothing is computed."""
    try:
        learner.check(task)
        shape_of(_answers, learner, task)
    except QuickstudyError:
        raise
    except (TypeError, ValueError, IndexError) as error:
        raise BadInput(
            f"{type(learner).__name__} cannot take tasks whose inputs are "
            f"{list(task.support.x.shape)}: {error}; give inputs of the shape that its network was "
            "made for"
        ) from error


def _answers(learner: Learner, task: Task) -> Any:
    return _adapted(learner, task.support)(task.query.x)


def _adapted(learner: Learner, support: Examples) -> Predictor:
    # Any key will do: `adapt` is traced for its shapes and draws nothing.
    return learner.adapt(support, key=jax.random.key(0))


def refuse_padding(learner: Learner, task: Task) -> None:
    """Raise `BadInput` for tasks with padding: what is padding would change the answers.

    A network is a function of the inputs alone. It is not told which are real, and so a norm over
    a batch cannot leave the others out of its mean.
    """
    if task.support.real is not None or task.query.real is not None:
        raise BadInput(
            f"this {type(learner).__name__} looks at its examples together, and the tasks are "
            "padded to one shape; give tasks without padding, or a network whose norms look at "
            "each example by itself (norm='layer', for example)"
        )


def check_outputs(learner: Learner, model: Any, task: Task) -> None:
    """Raise `BadInput` unless `model` has one output per class (or target dimension).

    For learners whose output layer has a fixed size; it costs no arithmetic.
    """
    outputs = shape_of(_outputs, model, task.query.x).shape[-1]
    wanted = task.query.outputs
    if outputs != wanted:
        kind = "targets of size" if task.query.ways is None else "ways"
        other = f"train with --ways {wanted}"
        if task.query.ways is None:
            other = "where these are class numbers, tasks of Examples(x, y, ways=N)"
        raise BadInput(
            f"{type(learner).__name__} was built for {outputs} outputs and the tasks have {kind} "
            f"{wanted}; give tasks with {outputs}, or {other}"
        )


# A function of the module, not a lambda: `shape_of` remembers by the function itself.
def _outputs(model: Any, x: Any) -> Any:
    return model(x)
