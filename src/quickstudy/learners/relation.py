"""Relation networks: what is alike is learned, too."""

from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.learners.adapted import shape_of
from quickstudy.learners.learner import Learner, Predictor
from quickstudy.learners.losses import ABSENT, Loss
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples, Task, demand_classes


def score_error(outputs: Float[Array, "n ways"], y: Int[Array, " n"]) -> Float[Array, ""]:
    """The mean of (r − 1[y = k])² over queries and classes: regression of scores in [0, 1].

    A class that a task lacks has no score, but `ABSENT`, and is left out of the mean.

    Example:
        >>> float(score_error(jnp.array([[1.0, 0.5]]), jnp.array([0])))
        0.125
    """
    wanted = jax.nn.one_hot(y, outputs.shape[-1], dtype=outputs.dtype)
    return jnp.mean(jnp.square(outputs - wanted), where=outputs > ABSENT)


ClassPooling = Callable[[Any, Any], Any]
"""From who belongs to which class `[n, ways]` and embeddings `[n, ...]` to one for each class."""


def class_sums(members: Float[Array, "n ways"], f: Float[Array, "n ..."]) -> Any:
    """Σ_k∈y f(x_k), as the paper pools: k times as long with k shots as with one.

    Example:
        >>> class_sums(jnp.array([[1.0], [1.0]]), jnp.array([[1.0], [3.0]])).tolist()
        [[4.0]]
    """
    return jnp.tensordot(members.T, f, 1)


def class_means(members: Float[Array, "n ways"], f: Float[Array, "n ..."]) -> Any:
    """The mean of f(x_k) over k ∈ y, of one length with any number of shots; zeros for no shot.

    Example:
        >>> class_means(jnp.array([[1.0], [1.0]]), jnp.array([[1.0], [3.0]])).tolist()
        [[2.0]]
    """
    counts = jnp.maximum(jnp.sum(members, 0), 1)
    return class_sums(members, f) / counts.reshape(-1, *(1,) * (f.ndim - 1))


class Relations(eqx.Module):
    """The predictor: a score in [0, 1] for every query and class."""

    embed: Any
    relation: Any
    classes: Float[Array, "ways ..."]

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ways"]:
        """The relation scores; a softmax is not taken."""
        return jax.nn.sigmoid(_scores(self, x)).reshape(len(x), len(self.classes))


def pairs(classes: Float[Array, "ways ..."], f: Float[Array, "n ..."]) -> Float[Array, "pairs ..."]:
    """Every class beside every embedding on the last axis, the first embedding's before the next's.

    Example:
        >>> pairs(jnp.array([[1.0], [2.0]]), jnp.array([[5.0]])).tolist()
        [[1.0, 5.0], [2.0, 5.0]]
    """
    every = (len(f), len(classes), *f.shape[1:])
    both = jnp.broadcast_to(classes[None], every), jnp.broadcast_to(f[:, None], every)
    beside = jnp.concatenate(both, -1)
    return beside.reshape(-1, *beside.shape[2:])


class Relation(Learner):
    """Relation networks (Sung et al., 2018, https://arxiv.org/abs/1711.06025).

    r(x, y) = σ(g([mean_k∈y f(x_k), f(x)])): an embedding f, pooled over the support examples of a
    class, and a network g that compares; trained to give 1 for the right class and 0 for others.
    The paper pools by the sum, which with one shot is the same. A g that was trained on sums of one
    knows nothing of sums of five: where shots at test may differ from training, take the mean.

    Attributes:
        embed: f, from `[n, ...]` to vectors `[n, d]` or feature maps `[n, h, w, c]`.
        relation: g, from pairs side by side on the last axis (`2d` or `2c`) to `[n, 1]`;
            `ConvRelation` is the paper's, for maps. Where it has a method `compare(classes, f)`,
            which answers as for `pairs(classes, f)`, that is called, and can share work of pairs.
        pooling: `class_means`, or `class_sums` as in the paper.
        loss: L, on scores in [0, 1]; `score_error` as in the paper.

    Example:
        >>> import jax, quickstudy as qs
        >>> keys = jax.random.split(jax.random.key(0))
        >>> learner = qs.Relation(qs.MLP(2, (16, 8), key=keys[0]), qs.MLP(16, (8, 1), key=keys[1]))
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0], [1.1, 0.1]], [0, 1, 1])
        >>> learner.adapt(support)(support.x).shape
        (3, 2)
    """

    embed: Any
    relation: Any
    pooling: ClassPooling = eqx.field(static=True, default=class_means, kw_only=True)
    loss: Loss = eqx.field(static=True, default=score_error, kw_only=True)

    bounded_scores: ClassVar[bool] = True

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """Pool the embedded support examples of each class."""
        embed = condition(self.embed, support.x)
        f = embed(support.x)
        classes = self.pooling(support.members(), f)
        # A norm `support` in g is shown the support set's own pairs, never those of queries.
        return Relations(embed, condition(self.relation, pairs(classes, f)), classes)

    def check(self, task: Task) -> None:
        """Only classification has classes to compare with, and a pair has one score."""
        demand_classes(task.support)
        super().check(task)
        shape = shape_of(_pair_scores, self, task).shape
        if shape != (len(task.query) * task.query.outputs, 1):
            raise BadInput(
                f"the relation network has outputs of shape {list(shape[1:])} for each pair; give "
                "one with a single output, [n, 1]"
            )


def _pair_scores(learner: Relation, task: Task) -> Float[Array, "pairs ..."]:
    adapted: Any = learner.adapt(task.support)
    return _scores(adapted.predictor, task.query.x)


def _scores(predictor: Relations, x: Float[Array, "n ..."]) -> Float[Array, "pairs ..."]:
    classes, f, g = predictor.classes, predictor.embed(x), predictor.relation
    return g.compare(classes, f) if hasattr(g, "compare") else g(pairs(classes, f))
