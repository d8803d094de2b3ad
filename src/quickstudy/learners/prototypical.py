"""Prototypical networks: a class is the mean of its embedded examples."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.learners.learner import Learner, Predictor
from quickstudy.learners.similarity import Similarity, negative_squared_distance
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples, Task, demand_classes


class Prototypes(eqx.Module):
    """The predictor: similarities of an embedded query to the classes' prototypes."""

    embed: Any
    centres: Float[Array, "ways d"]
    similarity: Similarity = eqx.field(static=True)

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ways"]:
        """The similarities, which are the logits of p(y | x)."""
        return self.similarity(self.embed(x), self.centres)


class Prototypical(Learner):
    """Prototypical networks (Snell et al., 2017, https://arxiv.org/abs/1703.05175).

    c_y = mean of g(x_k) over the support examples of class y, and
    p(y | x) ∝ exp(similarity(f(x), c_y)), with f = g unless told otherwise. Takes any number of
    ways and shots, and classes of unequal sizes.

    Attributes:
        embed: g, the embedding of support examples, from `[n, ...]` to `[n, d]`.
        f: that of queries; `None` for f = g, one network and one set of weights.
        similarity: `negative_squared_distance` (the paper) or `dot_product` (the notes).
        loss: L, on the similarities as logits.

    Example:
        >>> import jax, quickstudy as qs
        >>> learner = qs.Prototypical(qs.MLP(2, (16, 8), key=jax.random.key(0)))
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0], [1.1, 0.1]], [0, 1, 1])
        >>> learner.adapt(support)(support.x).shape
        (3, 2)
    """

    embed: Any
    f: Any = None
    similarity: Similarity = eqx.field(static=True, default=negative_squared_distance)

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """Average the embedded support examples of each class."""
        embed = condition(self.embed, support.x)
        # As a matrix, classes may have any sizes, and rows of padding count for nothing.
        members = support.members()
        counts = jnp.sum(members, 0)[:, None]
        # A class that this task lacks gets the centre 0; the loss takes its logit out of the
        # question.
        centres = (members.T @ embed(support.x)) / jnp.maximum(counts, 1)
        f = embed if self.f is None else condition(self.f, support.x)
        return Prototypes(f, centres, self.similarity)

    def check(self, task: Task) -> None:
        """Only classification has prototypes."""
        demand_classes(task.support)
        super().check(task)
