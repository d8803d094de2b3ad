"""Baselines: what a state is worth, fitted anew to every task's trajectories."""

import abc
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, PyTree, Scalar

from quickstudy.envs.environment import Picture
from quickstudy.errors import BadInput, demand_counts
from quickstudy.nets.mlp import MLP
from quickstudy.precision import product

RIDGE = 1e-5  # per step: in single precision an absolute one would be lost
ROUNDING = 10  # the least ridge, in units of what rounding may do to the sum of a feature's squares
MOST = 2000  # numbers in an observation: twice as many weights are solved for, in every task


class Baseline(eqx.Module):
    """V(s, t) of one policy in one task. It has no arrays: nothing of it is meta-learned."""

    @abc.abstractmethod
    def values(
        self,
        observations: Float[Array, "n time ..."],
        targets: Float[Array, "n time"],
        real: Bool[Array, "n time"],
    ) -> Float[Array, "n time"]:
        """V at every step, from a fit to these very steps.

        Args:
            observations: o_t.
            targets: what V should have been: discounted rewards to go.
            real: which steps count.
        """


class LinearBaseline(Baseline):
    """w · x, the ridge regression of the targets on `features` x, as in MAML's paper.

    Raises:
        BadInput: observations of more than 2,000 numbers.

    Example:
        >>> o, targets = jnp.array([[[0.0], [1.0], [2.0]]]), jnp.array([[0.0, 1.0, 4.0]])
        >>> values = LinearBaseline().values(o, targets, targets > -1)
        >>> bool(jnp.abs(values - targets).max() < 0.01)
        True
    """

    def values(
        self,
        observations: Float[Array, "n time ..."],
        targets: Float[Array, "n time"],
        real: Bool[Array, "n time"],
    ) -> Float[Array, "n time"]:
        """The regression's."""
        if (size := math.prod(observations.shape[2:])) > MOST:
            raise BadInput(
                f"observations have {size} numbers, and a linear baseline takes {MOST} at most; "
                "give a ValueNetwork (--baseline network), or pictures as uint8, of which it sees "
                "the means"
            )
        x = features(observations)
        flat = jnp.where(real[..., None], x, 0.0).reshape(-1, x.shape[-1])
        products = product(flat.T, flat)
        # Clipped observations make equal features, whose products are singular up to rounding.
        rounding = ROUNDING * x.shape[-1] * jnp.finfo(x.dtype).eps * jnp.diagonal(products)
        ridge = jnp.diag(jnp.maximum(RIDGE * flat.shape[0], rounding))
        # An LU of a batch hangs where two CPU devices make one at once: callers fit task by task.
        aims = product(flat.T, jnp.where(real, targets, 0.0).reshape(-1))
        return product(x, jnp.linalg.solve(products + ridge, aims))


class ValueNetwork(Baseline):
    """A multilayer perceptron on the same features, after some steps of Adam on its squared error.

    It always begins with the same weights, and is fitted to targets of mean 0 and variance 1, so
    that rates mean the same for rewards of any size. For values that are not nearly linear in the
    features; it costs more time than the linear one.

    Attributes:
        widths: of the hidden layers.
        steps: of Adam, on all trajectories at once.
        learning_rate: Adam's.

    Raises:
        BadInput: no step.

    Example:
        >>> targets = jnp.array([[3.0, 2.0, 1.0]])
        >>> network = ValueNetwork(steps=200)
        >>> values = network.values(jnp.zeros((1, 3, 2)), targets, targets > 0)
        >>> bool(jnp.abs(values - targets).max() < 0.3)
        True
    """

    widths: tuple[int, ...] = eqx.field(static=True, default=(32, 32))
    steps: int = eqx.field(static=True, default=40)
    learning_rate: float = eqx.field(static=True, default=1e-2)

    def __check_init__(self) -> None:
        demand_counts(steps=self.steps)

    def values(
        self,
        observations: Float[Array, "n time ..."],
        targets: Float[Array, "n time"],
        real: Bool[Array, "n time"],
    ) -> Float[Array, "n time"]:
        """The network's, after its fit."""
        x = features(observations)
        flat = x.reshape(-1, x.shape[-1])
        count = jnp.maximum(jnp.sum(real), 1)
        middle = jnp.sum(jnp.where(real, targets, 0.0)) / count
        apart = jnp.where(real, targets - middle, 0.0)
        # Targets that are all equal have no spread to divide by.
        spread = jnp.maximum(jnp.sqrt(jnp.sum(apart**2) / count), 1e-6)
        optimiser = optax.adam(self.learning_rate)
        network = MLP(x.shape[-1], (*self.widths, 1), activation=jnp.tanh, key=jax.random.key(0))
        theta, rest = eqx.partition(network, eqx.is_inexact_array)

        def output(theta: PyTree) -> Float[Array, "n time"]:
            return eqx.combine(theta, rest)(flat).reshape(real.shape)

        def error(theta: PyTree) -> Scalar:
            return jnp.sum(jnp.where(real, output(theta) - apart / spread, 0.0) ** 2) / count

        def descend(carry: Any, _: None) -> tuple[Any, None]:
            theta, state = carry
            updates, state = optimiser.update(jax.grad(error)(theta), state, theta)
            return (optax.apply_updates(theta, updates), state), None

        start = (theta, optimiser.init(theta))
        (theta, _), _ = jax.lax.scan(descend, start, length=self.steps)
        return middle + spread * output(theta)


def features(observations: Float[Array, "n time ..."]) -> Float[Array, "n time features"]:
    """(o, o², u, u², u³, 1) with u = t / 100, of observations clipped to ± 10 (Duan et al., 2016,
    https://arxiv.org/abs/1604.06778).

    Example:
        >>> features(jnp.zeros((1, 3, 2))).shape
        (1, 3, 8)
    """
    n, time = observations.shape[:2]
    o = jnp.clip(observations.reshape(n, time, -1), -10, 10)
    u = jnp.broadcast_to(jnp.arange(time)[None, :, None] / 100.0, (n, time, 1)).astype(o.dtype)
    return jnp.concatenate([o, o**2, u, u**2, u**3, jnp.ones_like(u)], -1)


def at_a_glance(
    observations: Float[Array, "n time ..."], pictures: tuple[Picture, ...]
) -> Float[Array, "n time seen"]:
    """Observations as vectors, with the mean of each of a picture's channels in its place: what a
    baseline that is fitted anew to some trajectories can take in.

    Example:
        >>> seen = jnp.ones((2, 5, 8, 9, 3))
        >>> at_a_glance(seen, (Picture(0, (8, 9, 3)),)).shape
        (2, 5, 3)
    """
    n, time = observations.shape[:2]
    flat, found, end = observations.reshape(n, time, -1), [], 0
    for start, shape in pictures:
        found.append(flat[..., end:start])
        end = start + math.prod(shape)
        found.append(jnp.mean(flat[..., start:end].reshape(n, time, -1, shape[-1]), 2))
    return jnp.concatenate([*found, flat[..., end:]], -1)
