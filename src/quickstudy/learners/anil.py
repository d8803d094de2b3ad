"""ANIL and BOIL: MAML in which half of the network adapts."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, PyTree

from quickstudy.errors import BadInput
from quickstudy.inner import InnerRule, Only, Rate
from quickstudy.learners.descent import descent, predictors
from quickstudy.learners.learner import Learner, Predictor
from quickstudy.learners.maml import MAML
from quickstudy.nets.network import Headed, condition
from quickstudy.tasks.task import Examples, Task


class ANIL(MAML):
    """Almost no inner loop (Raghu et al., 2020, https://arxiv.org/abs/1909.09157).

    MAML whose inner loop moves the head alone. The body is reused as it is, and so the support
    set's features are computed once.

    Attributes:
        model: θ, a body and a linear head.
        inner_lr: α.
        steps: k.
        loss: L, for both loops.

    Example:
        >>> import jax, quickstudy as qs
        >>> body = qs.MLP(1, (40, 40), key=jax.random.key(0))
        >>> model = qs.Headed(body, qs.Linear.zeros(40, 1))
        >>> learner = qs.ANIL(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """The body as it was, and the head after k steps."""
        body, features = self._features(support)
        return Headed(body, self._heads(features, self.steps)[0])

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """The body as it was, and the heads after 0 … `steps` steps."""
        body, features = self._features(support)
        heads = predictors(*self._heads(features, steps), features)
        # A stacked predictor has one first axis everywhere, also where nothing moved.
        return Headed(_repeated(body, steps + 1), heads)

    def check(self, task: Task) -> None:
        """The model must have a body and a head."""
        demand_halves(self, self.model)
        super().check(task)

    def _features(self, support: Examples) -> tuple[Any, Examples]:
        body = condition(self.model.body, support.x)
        return body, support.with_inputs(body(support.x))

    def _heads(self, features: Examples, steps: int) -> tuple[Any, PyTree]:
        rule = self.inner_rule()
        return descent(self.model.head, features, self.loss, rule=rule, steps=steps)


class BOIL(MAML):
    """Body only update in the inner loop (Oh et al., 2021, https://arxiv.org/abs/2008.08882).

    MAML whose inner loop moves all but the head: what is learned within a task is a
    representation.

    Attributes:
        model: θ, a body and a linear head; not one of zeros, through which no gradient comes.
        inner_lr: α.
        steps: k.
        loss: L, for both loops.

    Example:
        >>> import jax, quickstudy as qs
        >>> keys = jax.random.split(jax.random.key(0))
        >>> body = qs.MLP(1, (40, 40), key=keys[0])
        >>> model = qs.Headed(body, qs.Linear.create(40, 1, key=keys[1]))
        >>> learner = qs.BOIL(model, inner_lr=0.01, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> learner.adapt(task.support)(task.query.x).shape
        (10, 1)
    """

    def inner_rule(self) -> InnerRule:
        """θ − α g, of the body."""
        return Only(Rate(self.inner_lr), _body)

    def check(self, task: Task) -> None:
        """The model must have a body, and a head that lets a gradient through."""
        demand_halves(self, self.model)
        head = eqx.filter(self.model.head, eqx.is_inexact_array)
        if not any(jnp.any(leaf) for leaf in jax.tree.leaves(head)):
            raise BadInput(
                "BOIL adapts the body by what comes through the head, and this head is all zeros: "
                "give it weights that are drawn, as quickstudy.Linear.create does"
            )
        super().check(task)


def demand_halves(learner: Learner, model: Any) -> None:
    """Raise `BadInput` unless the model has a body and a head."""
    if not (hasattr(model, "body") and hasattr(model, "head")):
        raise BadInput(
            f"{type(learner).__name__} adapts one half of a network, and {type(model).__name__} "
            "has no body and head; give quickstudy.Headed(body, head)"
        )


def _body(theta: Headed) -> Any:
    return theta.body


def _repeated(tree: Any, times: int) -> Any:
    """Every array `times` times, on a new first axis."""
    arrays, rest = eqx.partition(tree, eqx.is_array)
    arrays = jax.tree.map(lambda a: jnp.broadcast_to(a, (times, *a.shape)), arrays)
    return eqx.combine(arrays, rest)
