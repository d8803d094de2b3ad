"""ANIL and BOIL: MAML in which half of the network adapts."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from quickstudy.learners.descent import descent, predictors
from quickstudy.learners.inner import Rate
from quickstudy.learners.learner import Learner, Predictor, check_outputs
from quickstudy.nets.network import Headed, condition
from quickstudy.tasks.task import Examples, Task


class HalfAdapted(Learner):
    """MAML on a network of a body and a head, of which one stays as it is.

    Attributes:
        model: θ, a body and a linear head.
        inner_lr: α.
        steps: k.
        loss: L, for both loops.
    """

    model: Headed
    inner_lr: float = eqx.field(static=True, default=0.4)
    steps: int = eqx.field(static=True, default=1)

    @abc.abstractmethod
    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """θ_0 … θ_steps on a first axis `[steps + 1, ...]`."""

    def unadapted(self, support: Examples) -> Predictor:
        """θ_0: the initialisation itself."""
        return condition(self.model, support.x)

    def check(self, task: Task) -> None:
        """The model must have one output per class."""
        super().check(task)
        check_outputs(self, self.model, task)


class ANIL(HalfAdapted):
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
        rule = Rate(self.inner_lr)
        head, _ = descent(self.model.head, features, self.loss, rule=rule, steps=self.steps)
        return Headed(body, head)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """The body as it was, and the heads after 0 … `steps` steps."""
        body, features = self._features(support)
        rule = Rate(self.inner_lr)
        passed = descent(self.model.head, features, self.loss, rule=rule, steps=steps)
        return Headed(_repeated(body, steps + 1), predictors(*passed, features))

    def _features(self, support: Examples) -> tuple[Any, Examples]:
        body = condition(self.model.body, support.x)
        return body, support.with_inputs(body(support.x))


class BOIL(HalfAdapted):
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

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """The body after k steps, and the head as it was."""
        body, _ = self._descent(support, self.steps)
        return Headed(condition(body, support.x), self.model.head)

    def adapt_by_steps(self, support: Examples, steps: int) -> Predictor:
        """The bodies after 0 … `steps` steps, and the head as it was."""
        bodies = predictors(*self._descent(support, steps), support)
        return Headed(bodies, _repeated(self.model.head, steps + 1))

    def _descent(self, support: Examples, steps: int) -> tuple[Any, Any]:
        def loss(features: Any, y: Any) -> Any:
            return self.loss(self.model.head(features), y)

        return descent(self.model.body, support, loss, rule=Rate(self.inner_lr), steps=steps)


def _repeated(tree: Any, times: int) -> Any:
    """Every array `times` times, on a new first axis."""
    arrays, rest = eqx.partition(tree, eqx.is_array)
    arrays = jax.tree.map(lambda a: jnp.broadcast_to(a, (times, *a.shape)), arrays)
    return eqx.combine(arrays, rest)
