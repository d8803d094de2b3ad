"""Rules of the inner loop: how θ moves along a gradient. They compose.

FirstOrder(LearnedRates.like(model, 0.01))      # Meta-SGD without second derivatives
FirstOrder(Optimiser(optax.sgd(0.01, momentum=0.9)))
Only(FromZero(Rate(1.0)), context_of)           # CAVIA
"""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree


class InnerRule(eqx.Module):
    """One step of the inner loop. Array leaves are meta-learned, as θ is."""

    def begin(self, theta: PyTree) -> PyTree:
        """Where the first step starts from: at θ as it was meta-learned, for most."""
        return theta

    def start(self, theta: PyTree) -> PyTree:
        """The rule's own state before the first step; nothing, for most."""
        return None

    def kept(self, state: PyTree) -> "InnerRule":
        """The rule as its state after a task would have it go on; itself, for most."""
        return self

    @abc.abstractmethod
    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        """θ and the state after a step.

        Args:
            theta: the floating-point arrays of the model.
            gradient: of the support loss at θ, of the same structure.
            state: what `start` or the step before returned.
            step: which step it is, from 0; more than in training are allowed.
        """


def _descended(theta: PyTree, gradient: PyTree, rate: Any) -> PyTree:
    return jax.tree.map(lambda t, g: t - rate * g, theta, gradient)


class Rate(InnerRule):
    """θ − α g: gradient descent.

    Attributes:
        rate: α.

    Example:
        >>> Rate(0.5).move(jnp.array([1.0]), jnp.array([2.0]), None, 0)[0].tolist()
        [0.0]
    """

    rate: float = eqx.field(static=True)

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        return _descended(theta, gradient, self.rate), state


class Rates(InnerRule):
    """θ − α_j g with a rate of its own for every step; steps beyond the last use the last.

    MAML's policies are tested so: α after the first step is half of the first (Finn et al., 2017,
    https://arxiv.org/abs/1703.03400, appendix A.2).

    Attributes:
        rates: α_0, α_1, ...

    Example:
        >>> rule = Rates((0.5, 0.25))
        >>> [rule.move(jnp.array(1.0), jnp.array(2.0), None, j)[0].item() for j in range(3)]
        [0.0, 0.5, 0.5]
    """

    rates: tuple[float, ...] = eqx.field(static=True)

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        rate = jnp.asarray(self.rates)[jnp.minimum(step, len(self.rates) - 1)]
        return _descended(theta, gradient, rate), state


class LearnedRate(InnerRule):
    """θ − α g with one α for all, meta-learned beside θ.

    Attributes:
        rate: α.

    Example:
        >>> LearnedRate(0.5).move(jnp.array([1.0]), jnp.array([2.0]), None, 0)[0].tolist()
        [0.0]
    """

    rate: Float[Array, ""] = eqx.field(converter=jnp.asarray)

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        return _descended(theta, gradient, self.rate), state


class LearnedRates(InnerRule):
    """θ − α ∘ g with a rate for every number of θ, of either sign: Meta-SGD's rule.

    Attributes:
        rates: α, of θ's structure.
    """

    rates: PyTree

    @classmethod
    def like(cls, model: Any, rate: float) -> "LearnedRates":
        """All rates equal at first.

        Example:
            >>> LearnedRates.like({"w": jnp.ones(2)}, 0.5).rates["w"].tolist()
            [0.5, 0.5]
        """
        theta = eqx.filter(model, eqx.is_inexact_array)
        return cls(jax.tree.map(lambda leaf: jnp.full_like(leaf, rate), theta))

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        return jax.tree.map(lambda t, a, g: t - a * g, theta, self.rates, gradient), state


class RatePerStep(InnerRule):
    """θ − α_j g with a rate for every array of θ and every step: MAML++'s rule.

    Steps beyond those trained use the last rate.

    Attributes:
        rates: α, of θ's structure, each leaf `[steps]`.
    """

    rates: PyTree

    @classmethod
    def like(cls, model: Any, rate: float, steps: int) -> "RatePerStep":
        """All rates equal at first."""
        theta = eqx.filter(model, eqx.is_inexact_array)
        return cls(jax.tree.map(lambda leaf: jnp.full((steps,), rate, leaf.dtype), theta))

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        def moved(t: Array, rates: Float[Array, " steps"], g: Array) -> Array:
            return t - rates[jnp.minimum(step, len(rates) - 1)] * g

        return jax.tree.map(moved, theta, self.rates, gradient), state


class Around(InnerRule):
    """Base of rules that hold another one.

    Attributes:
        rule: the other rule.
    """

    rule: InnerRule

    def begin(self, theta: PyTree) -> PyTree:
        return self.rule.begin(theta)

    def start(self, theta: PyTree) -> PyTree:
        return self.rule.start(theta)

    def kept(self, state: PyTree) -> "InnerRule":
        return eqx.tree_at(lambda own: own.rule, self, self.rule.kept(state))


class FirstOrder(Around):
    """Another rule, whose gradients are taken as constants: no second derivatives."""

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        return self.rule.move(theta, jax.lax.stop_gradient(gradient), state, step)


class Only(Around):
    """Another rule, for a part of θ; the rest stays as it was meta-learned.

    Attributes:
        rule: the other rule.
        part: from θ to the part that moves.

    Example:
        >>> rule = Only(Rate(0.5), lambda theta: theta["head"])
        >>> ones = {"body": jnp.ones(1), "head": jnp.ones(1)}
        >>> moved = rule.move(ones, ones, None, 0)[0]
        >>> moved["body"].tolist(), moved["head"].tolist()
        ([1.0], [0.5])
    """

    part: Callable[[Any], Any] = eqx.field(static=True)

    def begin(self, theta: PyTree) -> PyTree:
        return eqx.tree_at(self.part, theta, self.rule.begin(self.part(theta)))

    def start(self, theta: PyTree) -> PyTree:
        return self.rule.start(self.part(theta))

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        moved, state = self.rule.move(self.part(theta), self.part(gradient), state, step)
        return eqx.tree_at(self.part, theta, moved), state


class FromZero(Around):
    """Another rule, that begins at zeros in every task: what it moves is not meta-learned.

    Attributes:
        rule: the other rule.

    Example:
        >>> FromZero(Rate(0.5)).begin(jnp.ones(2)).tolist()
        [0.0, 0.0]
    """

    def begin(self, theta: PyTree) -> PyTree:
        return jax.tree.map(jnp.zeros_like, theta)

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        return self.rule.move(theta, gradient, state, step)


class Offset(Around):
    """Another rule, and what the first step adds: θ_1 = move(θ_0, g) + β, β meta-learned. A policy
    may so act at random to learn its task, and then be sure of itself.

    Attributes:
        rule: the other rule.
        offset: β, of θ's structure; `None` where nothing is added.

    Example:
        >>> rule = Offset(Rate(0.5), {"mean": None, "log_std": jnp.array(-2.0)})
        >>> theta = {"mean": jnp.array(0.0), "log_std": jnp.array(0.0)}
        >>> ones = jax.tree.map(jnp.ones_like, theta)
        >>> for step in range(2):
        ...     theta, _ = rule.move(theta, ones, None, step)
        ...     print({name: float(leaf) for name, leaf in theta.items()})
        {'log_std': -2.5, 'mean': -0.5}
        {'log_std': -3.0, 'mean': -1.0}
    """

    offset: PyTree

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        theta, state = self.rule.move(theta, gradient, state, step)
        added = jax.tree.map(lambda b: jnp.where(step == 0, b, 0), self.offset)
        return eqx.apply_updates(theta, added), state


class Optimiser(InnerRule):
    """Any Optax optimiser, differentiated through.

    Adam divides by √(v + eps_root), and the slope of a root at zero is infinite: give it
    `eps_root > 0`, `optax.adam(1e-3, eps_root=1e-8)`.

    Attributes:
        optimiser: the transformation; its state starts anew in every task.

    Example:
        >>> rule = Optimiser(optax.sgd(0.5, momentum=0.9))
        >>> theta = jnp.array([1.0])
        >>> rule.move(theta, jnp.array([1.0]), rule.start(theta), 0)[0].tolist()
        [0.5]
    """

    optimiser: optax.GradientTransformation = eqx.field(static=True)

    def start(self, theta: PyTree) -> PyTree:
        return self.optimiser.init(theta)

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        updates, state = self.optimiser.update(gradient, state, theta)
        return optax.apply_updates(theta, updates), state
