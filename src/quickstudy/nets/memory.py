"""What remembers: one protocol for learners that read support sets and policies that act."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.errors import demand_counts
from quickstudy.nets.network import Linear, Network

State = Any


class Memory(eqx.Module):
    """A recurrence (state, x_t) ↦ (state, h_t), and the same over a whole sequence at once.

    `sequence` equals stepping; where `resets[t]` is set, the state is cleared *before* x_t is
    read. States have no batch axis: `vmap` makes one.

    Attributes:
        features: the size of h_t.

    Raises:
        BadInput: `features` is not positive.
    """

    features: int = eqx.field(static=True, kw_only=True)

    def __check_init__(self) -> None:
        demand_counts(features=self.features)

    @abc.abstractmethod
    def initial(self) -> State:
        """The state that remembers nothing."""

    def clear(self, state: State, reset: Bool[Array, ""]) -> State:
        """The state that remembers nothing where `reset` is set, else `state`."""
        return select(reset, self.initial(), state)

    @abc.abstractmethod
    def step(self, state: State, x_t: Float[Array, " d"]) -> tuple[State, Float[Array, " h"]]:
        """Read one input."""

    @abc.abstractmethod
    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        """Read many inputs: the last state, and every h_t."""

    def whole(
        self, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        """`sequence` from the start, which a memory may read faster than what goes on."""
        return self.sequence(self.initial(), xs, resets)

    def read(self, state: State, x: Float[Array, " d"]) -> Float[Array, " h"]:
        """What the memory answers to `x`, without remembering it."""
        return self.step(state, x)[1]

    @property
    def reach(self) -> int | None:
        """How many inputs it can look back; `None` for all of them."""
        return None

    def readouts(self, actions: int) -> "tuple[Network, Network]":
        """What reads h_t of a policy: for `actions` numbers, and for one. At first all are zero."""
        return Linear.zeros(self.features, actions), Linear.zeros(self.features, 1)


class Recurrent(Memory):
    """A memory that must be read in order: `advance` is one step, on inputs already multiplied.

    The products of weights and inputs do not depend on the state, so that `drive` makes them for
    the whole sequence in one matrix product.
    """

    @abc.abstractmethod
    def drive(self, xs: Float[Array, "time d"]) -> Float[Array, "time g"]:
        """The part of all steps that needs no state."""

    @abc.abstractmethod
    def advance(self, state: State, driven: Float[Array, " g"]) -> tuple[State, Float[Array, " h"]]:
        """The rest of one step."""

    def step(self, state: State, x_t: Float[Array, " d"]) -> tuple[State, Float[Array, " h"]]:
        return self.advance(state, self.drive(x_t[None])[0])

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        def body(state: State, now: Any) -> tuple[State, Array]:
            driven, reset = now
            return self.advance(self.clear(state, reset), driven)

        return jax.lax.scan(body, state, (self.drive(xs), resets))


class AtOnce(Memory):
    """A memory that computes all times at once; a step is a sequence of one."""

    def step(self, state: State, x_t: Float[Array, " d"]) -> tuple[State, Float[Array, " h"]]:
        state, hs = self.sequence(state, x_t[None], jnp.zeros(1, bool))
        return state, hs[0]


def sums_since(
    x: Float[Array, "time d"], resets: Bool[Array, " time"], before: Float[Array, " d"]
) -> Float[Array, "time d"]:
    """Σ of x from the last reset up to each time; until the first reset, on top of `before`."""

    def add(a: Any, b: Any) -> Any:
        (a_sum, a_reset), (b_sum, b_reset) = a, b
        return jnp.where(b_reset[:, None], b_sum, a_sum + b_sum), a_reset | b_reset

    # (sum, whether there was a reset) combine associatively: log(time) rounds, and no loop.
    carried = x.at[0].add(jnp.where(resets[0], 0.0, before))
    return jax.lax.associative_scan(add, (carried, resets))[0]


def select(condition: Bool[Array, ""], yes: State, no: State) -> State:
    """`yes` where the condition holds, else `no`, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def pass_over(
    memory: Memory, xs: Float[Array, "time d"], real: Bool[Array, " time"]
) -> tuple[State, Float[Array, "time h"]]:
    """What `sequence` would make of the inputs that are `real`, from the start.

    Returns:
        the state after the last real input; and every h_t, of which those that are not real mean
        nothing.

    Example:
        >>> memory, xs = GRU.create(1, 4, key=jax.random.key(0)), jnp.array([[1.0], [9.0], [2.0]])
        >>> state, _ = pass_over(memory, xs, jnp.array([True, False, True]))
        >>> wanted, _ = memory.sequence(memory.initial(), xs[::2], jnp.zeros(2, bool))
        >>> bool(jnp.allclose(state, wanted))
        True
    """

    # Step by step: `sequence` cannot leave the state as it was where an input is padding.
    def body(state: State, now: Any) -> tuple[State, Array]:
        x_t, is_real = now
        after, h_t = memory.step(state, x_t)
        return select(is_real, after, state), h_t

    return jax.lax.scan(body, memory.initial(), (xs, real))


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735).

        i, f, o = σ(W x + U h + b),   g = tanh(W x + U h + b),   c ← f·c + i·g,   h ← o·tanh(c)

    The forget gate's bias starts at 1 (Jozefowicz et al., 2015).

    Example:
        >>> memory = LSTM.create(3, 8, key=jax.random.key(0))
        >>> state, hs = memory.sequence(memory.initial(), jnp.ones((5, 3)), jnp.zeros(5, bool))
        >>> hs.shape
        (5, 8)
    """

    inputs: Linear
    hidden: Float[Array, "h gates"]

    @classmethod
    def create(cls, inputs: int, features: int = 128, *, key: PRNGKeyArray) -> "LSTM":
        """Weights drawn with variance 1 / fan-in; the key is consumed."""
        w_key, u_key = jax.random.split(key)
        linear = Linear.create(inputs, 4 * features, key=w_key)
        bias = jnp.zeros(4 * features).at[features : 2 * features].set(1.0)
        hidden = jax.random.normal(u_key, (features, 4 * features)) / jnp.sqrt(features)
        return cls(Linear(linear.weight, bias), hidden, features=features)

    def initial(self) -> State:
        return jnp.zeros(self.features), jnp.zeros(self.features)

    def drive(self, xs: Float[Array, "time d"]) -> Float[Array, "time g"]:
        return self.inputs(xs)

    def advance(self, state: State, driven: Float[Array, " g"]) -> tuple[State, Float[Array, " h"]]:
        h, c = state
        i, f, o, g = jnp.split(driven + h @ self.hidden, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al., 2014, https://arxiv.org/abs/1406.1078).

        z, r = σ(W x + U h + b),   n = tanh(W x + r · (U h) + b),   h ← (1 − z)·n + z·h

    Example:
        >>> memory = GRU.create(3, 8, key=jax.random.key(0))
        >>> memory.step(memory.initial(), jnp.ones(3))[1].shape
        (8,)
    """

    inputs: Linear
    hidden: Float[Array, "h gates"]

    @classmethod
    def create(cls, inputs: int, features: int = 128, *, key: PRNGKeyArray) -> "GRU":
        """Weights drawn with variance 1 / fan-in; the key is consumed."""
        w_key, u_key = jax.random.split(key)
        hidden = jax.random.normal(u_key, (features, 3 * features)) / jnp.sqrt(features)
        return cls(Linear.create(inputs, 3 * features, key=w_key), hidden, features=features)

    def initial(self) -> State:
        return jnp.zeros(self.features)

    def drive(self, xs: Float[Array, "time d"]) -> Float[Array, "time g"]:
        return self.inputs(xs)

    def advance(self, state: State, driven: Float[Array, " g"]) -> tuple[State, Float[Array, " h"]]:
        # Tried at width 64 and not taken: one product after the scan for the gradient of `hidden`
        # (0.90 times as fast), input products per gate (1.02), these with a derivative for the
        # gates (1.08).
        z, r, n = jnp.split(driven, 3)
        # r multiplies U h, not h, so that one product serves all three gates.
        uz, ur, un = jnp.split(state @ self.hidden, 3)
        z, r = jax.nn.sigmoid(z + uz), jax.nn.sigmoid(r + ur)
        h = (1 - z) * jnp.tanh(n + r * un) + z * state
        return h, h
