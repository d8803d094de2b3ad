"""Ridge regression as the inner loop: the best linear head in closed form."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.learners.learner import Learner, Predictor
from quickstudy.nets.network import Linear, condition
from quickstudy.precision import product
from quickstudy.tasks.task import Examples


class Regressed(eqx.Module):
    """The predictor: scale · f(x) W + shift, with a bias in W."""

    embed: Any
    head: Linear

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n outputs"]:
        """The calibrated linear outputs."""
        return self.head(self.embed(x))


class RidgeRegression(Learner):
    """Meta-learning with a closed-form ridge head, R2-D2 (Bertinetto et al., 2019,
    https://arxiv.org/abs/1805.08136), the simplest head of Lee et al. (2019,
    https://arxiv.org/abs/1904.03758).

    W = Xᵀ (X Xᵀ + λ I)⁻¹ Y over the support features X = [f(x), 1] and one-hot labels (or
    targets) Y, an n × n system, through which the meta-gradient runs exactly; outputs are
    scale · X W + shift, because least squares on one-hot labels makes poor logits.

    Attributes:
        embed: f, from `[n, ...]` to `[n, d]`.
        log_penalty: log λ, meta-learned.
        scale: meta-learned.
        shift: meta-learned.
        loss: L.

    Example:
        >>> import jax, quickstudy as qs
        >>> learner = qs.RidgeRegression(qs.MLP(2, (16, 8), key=jax.random.key(0)))
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0], [1.1, 0.1]], [0, 1, 1])
        >>> learner.adapt(support)(support.x).shape
        (3, 2)
    """

    embed: Any
    # The logarithm is learned, so that λ stays above 0 whatever the outer optimiser does.
    log_penalty: Float[Array, ""] = eqx.field(default_factory=lambda: jnp.zeros(()))
    scale: Float[Array, ""] = eqx.field(default_factory=lambda: jnp.ones(()))
    shift: Float[Array, ""] = eqx.field(default_factory=lambda: jnp.zeros(()))

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """Solve for the head."""
        embed = condition(self.embed, support.x)
        features = embed(support.x)
        x = jnp.concatenate([features, jnp.ones((len(features), 1), features.dtype)], -1)
        y = support.y if support.ways is None else support.members(features.dtype)
        if support.real is not None:  # a row of zeros has no part in the solution
            x, y = (jnp.where(support.real[:, None], rows, 0) for rows in (x, y))
        # Over examples, not features: a support set has a few of the former and hundreds of the
        # latter.
        w = product(x.T, solve_ridge(product(x, x.T), y, jnp.exp(self.log_penalty)))
        return Regressed(embed, Linear(self.scale * w[:-1], self.scale * w[-1] + self.shift))


def solve_ridge(
    gram: Float[Array, "n n"], y: Float[Array, "n d"], penalty: Float[Array, ""]
) -> Float[Array, "n d"]:
    """(G + λ I)⁻¹ Y for a symmetric G without negative eigenvalues, by Cholesky factors."""
    shifted = gram + penalty * jnp.eye(len(gram), dtype=gram.dtype)
    return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(shifted, lower=True), y)
