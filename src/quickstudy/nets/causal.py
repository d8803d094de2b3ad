"""Memories that look back: stacks of layers over a window of past inputs."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from quickstudy.nets.memory import AtOnce, State

Ages = Int[Array, " time"]
"""For every input, how many inputs came before it since the last reset."""


class Ring(NamedTuple):
    """The last values that were written, and where the next one goes: over the oldest.

    Nothing moves when a value comes, so that a step costs no copy of all that is held.

    Attributes:
        values: in the order of their places, not of time.
        following: the place of the next value.

    Example:
        >>> ring = Ring.empty(3, 1)
        >>> for x in (1.0, 2.0, 3.0, 4.0):
        ...     ring = ring.wrote(jnp.array([x]))
        >>> ring.values[:, 0].tolist(), ring.backs.tolist(), ring.ordered()[:, 0].tolist()
        ([4.0, 2.0, 3.0], [0, 2, 1], [2.0, 3.0, 4.0])
    """

    values: Float[Array, "held d"]
    following: Int[Array, ""]

    @classmethod
    def empty(cls, held: int, size: int) -> "Ring":
        """Zeros."""
        return cls(jnp.zeros((held, size)), jnp.zeros((), jnp.int32))

    @property
    def backs(self) -> Int[Array, " held"]:
        """How many values were written after each."""
        held = len(self.values)
        return (self.following - 1 - jnp.arange(held)) % held

    def ordered(self) -> Float[Array, "held d"]:
        """The oldest first."""
        return jnp.roll(self.values, -self.following, 0)

    def wrote(self, x_t: Float[Array, " d"]) -> "Ring":
        """With one more value, and without the oldest."""
        values = self.values.at[self.following].set(x_t)
        return Ring(values, (self.following + 1) % len(self.values))


class CausalLayer(eqx.Module):
    """A layer whose output at time t depends on inputs up to t, through a buffer of past values.

    What lies further back than the age of an input belongs to another sequence, and must not
    be looked at.
    """

    @property
    def reach(self) -> int | None:
        """How far back its output may need to look; `None` for a layer that need not."""
        return None

    @abc.abstractmethod
    def initial(self) -> State:
        """An empty buffer."""

    @abc.abstractmethod
    def apply(
        self, state: State | None, xs: Float[Array, "time d"], ages: Ages
    ) -> tuple[State, Any]:
        """The buffer after `xs`, and the outputs `[time, d2]`; `None` is an empty buffer."""


class Aged(AtOnce):
    """A memory whose state is what it holds, and the age of the next input.

    What is older than that is not looked at, so that clearing touches the age alone.
    """

    def clear(self, state: State, reset: Bool[Array, ""]) -> State:
        held, age = state
        return held, jnp.where(reset, 0, age)


class Causal(Aged):
    """A memory made of causal layers, one after the other.

    It holds each layer's buffer.

    Attributes:
        layers: from `[time, d]` to `[time, features]`.
        features: the size of h_t.
    """

    layers: tuple[CausalLayer, ...]

    @property
    def reach(self) -> int | None:
        """The shortest look back of its layers."""
        reaches = (layer.reach for layer in self.layers)
        return min((reach for reach in reaches if reach is not None), default=None)

    def initial(self) -> State:
        return tuple(layer.initial() for layer in self.layers), jnp.zeros((), jnp.int32)

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        buffers, age = state
        return self._through(buffers, age, xs, resets)

    def whole(
        self, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        """`sequence` from the start, without looking at empty buffers."""
        # A transformer's gradients over 100 steps take 0.7 of the time that they take with them.
        return self._through((None,) * len(self.layers), jnp.zeros((), jnp.int32), xs, resets)

    def _through(
        self, buffers: tuple[State | None, ...], age: Int[Array, ""], xs: Array, resets: Array
    ) -> tuple[State, Array]:
        ages = ages_of(age, resets)
        after = []
        for layer, buffer in zip(self.layers, buffers, strict=True):
            buffer, xs = layer.apply(buffer, xs, ages)
            after.append(buffer)
        return (tuple(after), ages[-1] + 1), xs


def ages_of(age: Int[Array, ""], resets: Bool[Array, " time"]) -> Ages:
    """The age of every input, when the first is `age` old unless it is reset.

    Example:
        >>> ages_of(jnp.asarray(7), jnp.array([False, False, True, False])).tolist()
        [7, 8, 0, 1]
    """
    time = jnp.arange(resets.shape[0], dtype=jnp.int32)
    # The time of the last reset as a running maximum, so that no loop over time is needed.
    last = jax.lax.cummax(jnp.where(resets, time, -1))
    return jnp.where(last >= 0, time - last, age + time)


def remembered(
    ring: Ring | None, xs: Float[Array, "time d"], held: int
) -> tuple[Ring, Float[Array, "all d"]]:
    """The next ring, and what there is to look at: the old one's values in order, and `xs`."""
    seen = xs if ring is None else jnp.concatenate([ring.ordered(), xs])
    kept = seen[max(len(seen) - held, 0) :]
    # In order, the oldest at place 0; the zeros in front are older than any age allows to look.
    values = jnp.pad(kept, ((held - len(kept), 0), (0, 0)))
    return Ring(values, jnp.zeros((), jnp.int32)), seen


def looking_back(
    ring: Ring | None, xs: Float[Array, "time d"], ages: Ages, past: int
) -> tuple[Ring, Float[Array, "all d"], Bool[Array, "time all"]]:
    """The next ring, of `past` + 1 values, what there is to look at, and which of it each of `xs`
    may look at: itself, and up to `past` before it. `None` is an empty ring."""
    # Acting reads input by input: in its place in the ring, 250 steps take two thirds of the time
    # that they take with a copy of the whole window.
    if ring is not None and len(xs) == 1:
        ring = ring.wrote(xs[0])
        return ring, ring.values, (ring.backs <= ages[0])[None]
    ring, seen = remembered(ring, xs, past + 1)
    return ring, seen, visible(ages, past, len(seen) - len(xs))


def visible(ages: Ages, past: int, held: int) -> Bool[Array, "time all"]:
    """Which of `held` buffered and the given inputs each given input may look at: itself, and what
    came before it in its own sequence, at most `past` inputs back."""
    time = jnp.arange(ages.shape[0])
    back = held + time[:, None] - jnp.arange(held + ages.shape[0])[None]
    return (back >= 0) & (back <= jnp.minimum(ages, past)[:, None])


def attend(
    queries: Float[Array, "time heads d"],
    keys: Float[Array, "all heads d"],
    values: Float[Array, "all heads v"],
    may_see: Bool[Array, "time all"],
) -> Float[Array, "time heads v"]:
    """softmax(q kᵀ / √d) v over what may be seen; nothing to see gives zero.

    Source: Vaswani et al. (2017, https://arxiv.org/abs/1706.03762).
    """
    scores = jnp.einsum("thd,ahd->hta", queries, keys) / jnp.sqrt(queries.shape[-1])
    scores = jnp.where(may_see[None], scores, -jnp.inf)
    highest = jnp.max(scores, -1, keepdims=True)
    # Where nothing may be seen the highest is −∞, and −∞ − (−∞) would be not-a-number.
    weights = jnp.exp(scores - jnp.where(jnp.isfinite(highest), highest, 0.0))
    total = jnp.sum(weights, -1, keepdims=True)
    return jnp.einsum("hta,ahv->thv", weights / jnp.maximum(total, 1e-30), values)
