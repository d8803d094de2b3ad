"""Reptile: move the initialisation towards what fine-tuning makes of it."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from quickstudy.errors import BadInput, is_whole
from quickstudy.inner import InnerRule
from quickstudy.learners.descent import descent_with_state
from quickstudy.learners.kept_adam import KeptAdam
from quickstudy.learners.learner import Learner, Metrics, Progress
from quickstudy.learners.maml import GradientBased
from quickstudy.nets.network import condition
from quickstudy.tasks.task import Examples, Task


class Reptile(GradientBased):
    """Reptile (Nichol et al., 2018, https://arxiv.org/abs/1803.02999).

    In training, k steps of an optimiser on minibatches of *all* of a task's examples, support and
    query set alike, lead from θ to φ, and the meta-gradient is θ − φ: no derivative of the inner
    loop is taken. Minibatches go through the examples without replacement, in a new random order
    whenever all have been used: five of 10 see each of 50 once. With plain descent on one batch,
    k = 1 is joint training; k > 1 also aligns the gradients of different minibatches. Outside, use
    plain descent with the paper's step ε
    (`optax.sgd`, falling to zero).

    Attributes:
        model: θ.
        rule: how θ moves inside. The paper's is Adam without momentum; as in its authors' code,
            second moments go on from task to task (`quickstudy.KeptAdam`), and what is kept
            of a rule moves as θ does, towards what a task makes of it.
        steps: k in training.
        batch: examples per training minibatch, at most as many as a task has; of a padded task
            with fewer real ones, all of those.
        test_steps: k where the learner is used: on the whole support set.
        loss: L.

    Example:
        >>> import jax, quickstudy as qs
        >>> model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
        >>> learner = qs.Reptile(model, batch=5, loss=qs.squared_error)
        >>> task = qs.Sinusoid(shots=10).sample(jax.random.key(1))
        >>> gradient, metrics = learner.meta_gradient(task, key=jax.random.key(2))
    """

    rule: Any = None
    steps: int = eqx.field(static=True, default=5, kw_only=True)
    batch: int = eqx.field(static=True, default=10)
    test_steps: int = eqx.field(static=True, default=50)

    def __post_init__(self) -> None:
        if self.rule is None:
            self.rule = KeptAdam.like(self.model, 1e-3)

    def __check_init__(self):
        for name in ("steps", "batch"):
            if not is_whole(getattr(self, name)):
                raise BadInput(
                    f"{name} is {getattr(self, name)} and Reptile trains by steps on minibatches; "
                    "give a whole number of 1 or more"
                )

    def inner_rule(self) -> InnerRule:
        """The one given."""
        return self.rule

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Any:
        """`test_steps` steps on the whole support set."""
        return self._adapted(support, self.test_steps)

    def meta_gradient(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Learner, Metrics]:
        """θ − φ, and the same of what the rule keeps. The key is consumed; it draws the
        minibatches."""
        everything = joined(task.support, task.query)
        batches = self._batches(everything, jax.random.key(0) if key is None else key)
        adapted, state, _ = descent_with_state(
            self.model, batches, self.loss, rule=self.rule, steps=None
        )
        after = eqx.tree_at(_moving, self, (adapted, self.rule.kept(state)))
        before, after = (eqx.filter(own, eqx.is_inexact_array) for own in (self, after))
        direction = jax.tree.map(jnp.subtract, before, after)
        outputs = condition(adapted, task.support.x)(task.query.x)
        return direction, self.judge(outputs, task.query)[1]

    def check(self, task: Task) -> None:
        """A minibatch cannot be larger than a task."""
        super().check(task)
        if self.batch > len(task.support) + len(task.query):
            raise BadInput(
                f"Reptile draws minibatches of {self.batch} and a task has "
                f"{len(task.support) + len(task.query)} examples; give a smaller batch or more "
                "shots and queries"
            )

    def check_support(self, support: Examples) -> None:
        """Adapting draws no minibatch, so the support set may be smaller than one."""
        super().check(Task(support, support))

    def _batches(self, examples: Examples, key: PRNGKeyArray) -> Examples:
        """One minibatch per step, `[steps, batch, ...]`: consecutive parts of the examples in a
        random order, and in another one whenever all have been used."""
        packed, steps = examples.packed(), jnp.arange(self.steps)[:, None]
        n, within = jnp.asarray(packed.count), jnp.arange(self.batch)[None]
        padded = packed.real is not None
        size = jnp.minimum(self.batch, n)  # where a padded task has fewer, all of those
        place = steps * size + jnp.minimum(within, size - 1)
        epochs = self.steps if padded else -(-self.steps * self.batch // len(packed))
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(epochs))
        rows = jax.vmap(lambda key: _order(key, len(packed), n))(keys)[place // n, place % n]

        def part(rows: Int[Array, " batch"]) -> Examples:
            real = jnp.arange(self.batch) < size if padded else None
            return Examples(packed.x[rows], packed.y[rows], packed.ways, real, packed.present)

        return jax.vmap(part)(rows)


def _moving(learner: Reptile) -> tuple[Any, Any]:
    return learner.model, learner.rule


def _order(key: PRNGKeyArray, size: int, n: Any) -> Int[Array, " size"]:
    """0 ... n − 1 in random order, and what is beyond behind them."""
    drawn = jax.random.uniform(key, (size,))
    return jnp.argsort(jnp.where(jnp.arange(size) < n, drawn, 1.0))


def joined(first: Examples, second: Examples) -> Examples:
    """Both sets as one."""
    x, y = (jnp.concatenate([getattr(first, n), getattr(second, n)]) for n in ("x", "y"))
    if first.real is None and second.real is None:
        return Examples(x, y, first.ways, None, first.present)
    real = (jnp.ones(len(s), bool) if s.real is None else s.real for s in (first, second))
    return Examples(x, y, first.ways, jnp.concatenate([*real]), first.present)
