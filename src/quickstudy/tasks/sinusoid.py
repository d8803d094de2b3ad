"""Sinusoid regression, the first task family of the MAML paper."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput, demand_counts
from quickstudy.tasks.task import Examples, Task


class Wave(eqx.Module):
    """y = A sin(x − φ): the true function of one task, itself a predictor with zero error.

    Attributes:
        amplitude: A, a scalar.
        phase: φ in radians, a scalar.

    Example:
        >>> Wave(jnp.array(2.0), jnp.array(0.0))(jnp.zeros((3, 1))).shape
        (3, 1)
    """

    amplitude: Float[Array, ""]
    phase: Float[Array, ""]

    @compiled_once
    def __call__(self, x: Float[Array, "n 1"]) -> Float[Array, "n 1"]:
        """The noiseless targets `[n, 1]` at `x [n, 1]`."""
        return self.amplitude * jnp.sin(x - self.phase)


class Sinusoid(eqx.Module):
    """p(T): waves A sin(x − φ) with A ~ U[0.1, 5], φ ~ U[0, π], seen at points x ~ U[−5, 5].

    The ranges are those of Finn et al. (2017, https://arxiv.org/abs/1703.03400, section 5.1); the
    sign of the phase is that of their code (https://github.com/cbfinn/maml, data_generator.py).

    Attributes:
        shots: K, the support points.
        queries: the query points.
        amplitude: the least and the largest A.
        phase: the least and the largest φ, in radians.
        inputs: the least and the largest x.

    Raises:
        BadInput: no support or query points, or a range whose ends are in the wrong order.

    Example:
        >>> tasks = Sinusoid(shots=5, queries=10)
        >>> key = jax.random.key(0)
        >>> task = tasks.sample(key)
        >>> task.support.x.shape, task.query.y.shape
        ((5, 1), (10, 1))
        >>> bool(jnp.allclose(tasks.truth(key)(task.query.x), task.query.y))
        True
    """

    shots: int = eqx.field(static=True, default=10)
    queries: int = eqx.field(static=True, default=10)
    amplitude: tuple[float, float] = eqx.field(static=True, default=(0.1, 5.0))
    phase: tuple[float, float] = eqx.field(static=True, default=(0.0, math.pi))
    inputs: tuple[float, float] = eqx.field(static=True, default=(-5.0, 5.0))

    def __check_init__(self):
        demand_counts(shots=self.shots, queries=self.queries)
        for name in ("amplitude", "phase", "inputs"):
            low, high = getattr(self, name)
            if low > high:
                raise BadInput(f"{name} goes from {low} to {high}; give the smaller end first.")

    @compiled_once
    def sample(self, key: PRNGKeyArray) -> Task:
        """Draw one task. The key is consumed."""
        # The other half is `truth`'s, which is given the same key and must find the same wave.
        _, input_key = jax.random.split(key)
        low, high = self.inputs
        x = jax.random.uniform(input_key, (self.shots + self.queries, 1), minval=low, maxval=high)
        y = self.truth(key)(x)
        return Task(
            Examples(x[: self.shots], y[: self.shots]), Examples(x[self.shots :], y[self.shots :])
        )

    @compiled_once
    def truth(self, key: PRNGKeyArray) -> Wave:
        """The function behind `sample(key)`: what a perfect learner would predict."""
        wave_key, _ = jax.random.split(key)
        amplitude_key, phase_key = jax.random.split(wave_key)
        (a, b), (c, d) = self.amplitude, self.phase
        return Wave(
            jax.random.uniform(amplitude_key, minval=a, maxval=b),
            jax.random.uniform(phase_key, minval=c, maxval=d),
        )
