"""Transfer: train one network on all there is, then fine-tune it, or a new head, on each task."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray, Scalar

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.inner import Optimiser
from quickstudy.learners.descent import descent
from quickstudy.learners.learner import Learner, Metrics, Predictor, Progress
from quickstudy.learners.maml import MAML
from quickstudy.learners.prototypical import Prototypical
from quickstudy.learners.similarity import cosine, negative_squared_distance, unit
from quickstudy.nets.network import Headed, Linear, condition
from quickstudy.tasks.task import Examples, Task, demand_classes


class JointFineTuning(MAML):
    """One network trained on all tasks at once, then fine-tuned on each support set.

    The baseline "pretrained on all tasks" of Finn et al. (2017, https://arxiv.org/abs/1703.03400):
    meta-training minimises Σ_i L(θ, D_i^ts), as if all tasks were one; only at test does f_adapt
    take MAML's `steps` steps of gradient descent on the support loss. It differs from MAML in the
    meta-loss alone, and has the same defaults.

    Attributes:
        model: θ, any network from `[n, ...]` to `[n, outputs]`.
        inner_lr: α, the step size of fine-tuning; the best is often far below MAML's.
        steps: k, the number of fine-tuning steps.
        loss: L, for both.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.JointFineTuning(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    def meta_loss(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Scalar, Metrics]:
        """L(θ, D^ts): no adaptation in training."""
        return self.judge(self.unadapted(task.support)(task.query.x), task.query)


class CosineHead(eqx.Module):
    """scale · cos(x, w_k): a class is a direction (Baseline++).

    Attributes:
        weight: w, one row per class.
        scale: of the logits.
    """

    weight: Float[Array, "ways d"]
    scale: float = eqx.field(static=True, default=10.0)

    @compiled_once
    def __call__(self, x: Float[Array, "n d"]) -> Float[Array, "n ways"]:
        """The logits."""
        return self.scale * cosine(x, self.weight)


class Transfer(Learner):
    """Pre-train and fine-tune: meta-training is ordinary classification of all classes.

    Its training tasks are `quickstudy.AllClasses`, whose labels range over every meta-training
    class; its validation and test tasks are few-shot ones, and f_adapt makes a classifier for
    those from the body alone.

    Attributes:
        body: from `[n, ...]` to features `[n, d]`.
        classifier: from features to logits of all meta-training classes.
        loss: L.
    """

    body: Any
    classifier: Any

    def meta_loss(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Scalar, Metrics]:
        """The classification loss; nothing is adapted."""
        return self.judge(self.classifier(self.body(task.query.x)), task.query)

    def check(self, task: Task) -> None:
        """Only classes can be transferred from."""
        if task.support.ways is None:
            raise BadInput(
                f"{type(self).__name__} classifies and the tasks have no classes; for regression "
                "use JointFineTuning"
            )
        super().check(task)


class FineTuned(Transfer):
    """A transfer learner whose new classifier is descended to.

    Attributes:
        optimiser: of fine-tuning.
        steps: of fine-tuning, each on the whole support set.
    """

    # `eps_root`: `adapt` may be differentiated, and Adam's root has an infinite slope at zero.
    optimiser: optax.GradientTransformation = eqx.field(
        static=True, default_factory=lambda: optax.adam(1e-2, eps_root=1e-8), kw_only=True
    )
    steps: int = eqx.field(static=True, default=100, kw_only=True)

    def head(self, support: Examples) -> Any:
        """The classifier to start from: every class equally likely."""
        features = jax.eval_shape(self.body, support.x).shape[-1]
        return Linear.zeros(features, demand_classes(support))

    @abc.abstractmethod
    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """The classifier after fine-tuning."""

    def _descended(self, model: Any, support: Examples) -> Any:
        rule = Optimiser(self.optimiser)
        return descent(model, support, self.loss, rule=rule, steps=self.steps)[0]


class FineTuneAll(FineTuned):
    """Pre-train, then fine-tune body and head on the support set.

    Example:
        >>> import jax, quickstudy as qs
        >>> body = qs.MLP(2, (8,), key=jax.random.key(0))
        >>> learner = qs.FineTuneAll(body, qs.Linear.zeros(8, 64), steps=5)
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0]], [0, 1])
        >>> learner.adapt(support)(support.x).shape
        (2, 2)
    """

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """Both after `steps` steps."""
        model = Headed(self.body, self.head(support))
        return condition(self._descended(model, support), support.x)


class FineTuneHead(FineTuned):
    """Baseline (Chen et al., 2019, https://arxiv.org/abs/1904.04232): pre-train, then train a new
    linear head on the support features.

    Example:
        >>> import jax, quickstudy as qs
        >>> body = qs.MLP(2, (8,), key=jax.random.key(0))
        >>> learner = qs.FineTuneHead(body, qs.Linear.zeros(8, 64), steps=5)
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0]], [0, 1])
        >>> learner.adapt(support)(support.x).shape
        (2, 2)
    """

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """The body as it was, and a head after `steps` steps."""
        body = condition(self.body, support.x)
        features = support.with_inputs(body(support.x))
        return Headed(body, self._descended(self.head(support), features))


class BaselinePlusPlus(FineTuneHead):
    """Baseline++ (Chen et al., 2019, https://arxiv.org/abs/1904.04232): `FineTuneHead` with cosine
    classifiers, in pre-training (give `classifier=CosineHead(...)`) and for the task.

    Example:
        >>> import jax, quickstudy as qs
        >>> keys = jax.random.split(jax.random.key(0))
        >>> classifier = qs.CosineHead(jax.random.normal(keys[0], (64, 8)))
        >>> learner = qs.BaselinePlusPlus(qs.MLP(2, (8,), key=keys[1]), classifier, steps=5)
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0]], [0, 1])
        >>> learner.adapt(support)(support.x).shape
        (2, 2)
    """

    def head(self, support: Examples) -> Any:
        """Directions that start at the classes' mean features."""
        embedded = condition(self.body, support.x)(support.x)
        # Not zeros, as other heads start: a vector without a length has no direction.
        return CosineHead(unit(support.members(embedded.dtype).T @ unit(embedded)))


class NearestCentroid(Transfer):
    """SimpleShot (Wang et al., 2019, https://arxiv.org/abs/1911.04623): pre-train, then label a
    query by the nearest mean of normalised features; nothing is trained in a task.

    With `centre` it is the paper's CL2N: the mean feature of the classes that it was trained on is
    subtracted before the length is made 1. `meta_gradient` holds centre − mean in its place, of
    which plain descent, `optax.sgd(0.1)` in the recipe, makes a moving average.

    Attributes:
        body: from `[n, ...]` to features `[n, d]`.
        classifier: from features to logits of all meta-training classes.
        centre: `[d]`, zeros at first; `None` for the form L2N, which subtracts nothing.
        loss: L.

    Example:
        >>> import jax, quickstudy as qs
        >>> body = qs.MLP(2, (8,), key=jax.random.key(0))
        >>> learner = qs.NearestCentroid(body, qs.Linear.zeros(8, 64))
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0]], [0, 1])
        >>> learner.adapt(support)(support.x).shape
        (2, 2)
    """

    centre: Float[Array, " d"] | None = None

    def meta_loss(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Scalar, Metrics]:
        """The classification loss; the slope of the centre leads to the batch's mean feature."""
        features = self.body(task.query.x)
        loss, metrics = self.judge(self.classifier(features), task.query)
        if self.centre is None:
            return loss, metrics
        mean = jax.lax.stop_gradient(jnp.mean(features, 0))
        away = jnp.sum(jnp.square(self.centre - mean)) / 2
        return loss + away - jax.lax.stop_gradient(away), metrics

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """The classes' means of features of length 1."""
        body = Normalised(condition(self.body, support.x), self.centre)
        return Prototypical(body, similarity=negative_squared_distance).adapt(support)


class Normalised(eqx.Module):
    """A body whose features, less the centre, have the length 1."""

    body: Any
    centre: Float[Array, " d"] | None = None

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n d"]:
        """(f(x) − c) / ‖f(x) − c‖."""
        features = self.body(x)
        return unit(features if self.centre is None else features - self.centre[None])
