"""Adam whose second moments outlast a task: the inner rule of Reptile's authors."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from quickstudy.inner import InnerRule


class KeptAdam(InnerRule):
    """Adam without momentum whose second moments go on from task to task: Reptile's rule.

    v ← β v + (1 − β) g²,  w ← β w + (1 − β),  θ ← θ − α g / (√(v / w) + 10⁻⁸)

    A gradient is so measured by those of many tasks. An Adam that starts anew has a first step of
    length α in every number of θ, however small its gradient. v and w are no parameters that a
    slope moves: a learner that trains by this rule takes them from `kept`, as `qs.Reptile` does.

    Attributes:
        moments: v, of θ's structure.
        weight: w, the share of v that is no longer zero.
        rate: α.
        decay: β.

    Example:
        >>> rule = KeptAdam.like({"w": jnp.ones(2)}, 0.5)
        >>> theta, state = {"w": jnp.ones(2)}, rule.start(None)
        >>> theta, state = rule.move(theta, {"w": jnp.array([0.1, -9.0])}, state, 0)
        >>> theta["w"].tolist(), round(float(rule.kept(state).weight), 4)
        ([0.5, 1.5], 0.001)
    """

    moments: PyTree
    weight: Float[Array, ""]
    rate: float = eqx.field(static=True)
    decay: float = eqx.field(static=True, default=0.999)

    @classmethod
    def like(cls, model: Any, rate: float) -> "KeptAdam":
        """Before any task."""
        theta = eqx.filter(model, eqx.is_inexact_array)
        return cls(jax.tree.map(jnp.zeros_like, theta), jnp.zeros(()), rate)

    def start(self, theta: PyTree) -> PyTree:
        """v and w, as the last task left them."""
        return self.moments, self.weight

    def kept(self, state: PyTree) -> "KeptAdam":
        """With the state's v and w."""
        return KeptAdam(state[0], state[1], self.rate, self.decay)

    def move(
        self, theta: PyTree, gradient: PyTree, state: PyTree, step: Any
    ) -> tuple[PyTree, PyTree]:
        """A step; arguments as `quickstudy.inner.InnerRule.move` has them."""

        def moved(old: Any, new: Any) -> Any:
            return self.decay * old + (1 - self.decay) * new

        weight = moved(state[1], 1.0)
        moments = jax.tree.map(lambda v, g: moved(v, g**2), state[0], gradient)

        def stepped(t: Array, g: Array, v: Array) -> Array:
            return t - self.rate * g / (jnp.sqrt(v / weight) + 1e-8)

        return jax.tree.map(stepped, theta, gradient, moments), (moments, weight)
