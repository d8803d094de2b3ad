"""Memories without an order: what they answer depends on the set of what they have read."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.errors import BadInput
from quickstudy.nets.causal import Aged, Ring, ages_of, attend, looking_back
from quickstudy.nets.memory import Memory, State, sums_since
from quickstudy.nets.mlp import MLP


class MeanMemory(Memory):
    """The mean of what was read, r = 1/n Σ_i φ(x_i), and answers ρ(r, x).

    The encoder of the conditional neural process (Garnelo et al., 2018,
    https://arxiv.org/abs/1807.01613); it forgets nothing, and the order of reading is irrelevant.

    Attributes:
        write: φ.
        answer: ρ.
        features: the size of h_t.
    """

    write: MLP
    answer: MLP

    @classmethod
    def create(cls, inputs: int, features: int = 64, *, key: PRNGKeyArray) -> "MeanMemory":
        """φ and ρ with one hidden layer of `features`; the key is consumed.

        Example:
            >>> memory = MeanMemory.create(3, 8, key=jax.random.key(0))
            >>> memory.read(memory.initial(), jnp.ones(3)).shape
            (8,)
        """
        write_key, answer_key = jax.random.split(key)
        write = MLP(inputs, (features, features), key=write_key)
        answer = MLP(features + inputs, (features, features), key=answer_key)
        return cls(write, answer, features=features)

    @property
    def sets(self) -> int:
        """How many means r is made of."""
        return 1

    def members(self, xs: Float[Array, "time d"]) -> Float[Array, "time sets"]:
        """1 where an input belongs to a set, else 0."""
        return jnp.ones((len(xs), 1))

    def encoded(self, xs: Float[Array, "time d"]) -> Float[Array, "time f"]:
        """φ(x)."""
        return self.write(xs)

    def initial(self) -> State:
        return jnp.zeros((self.sets, self.features + 1))

    def read(self, state: State, x: Float[Array, " d"]) -> Float[Array, " h"]:
        """ρ(r, x)."""
        return self._answers(state[None], x[None])[0]

    def step(self, state: State, x_t: Float[Array, " d"]) -> tuple[State, Float[Array, " h"]]:
        state = state + self._written(x_t[None])[0]
        return state, self.read(state, x_t)

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        written = self._written(xs)
        flat = written.reshape(len(xs), -1)
        sums = sums_since(flat, resets, state.reshape(-1)).reshape(written.shape)
        return sums[-1], self._answers(sums, xs)

    def _written(self, xs: Array) -> Float[Array, "time sets all"]:
        """What each input adds to every set: φ(x), and 1 to its count."""
        each = jnp.concatenate([self.encoded(xs), jnp.ones((len(xs), 1))], -1)
        # Each set counts for itself: divided by the number of all inputs, the mean of one class
        # would shrink as those of others are read.
        return self.members(xs)[:, :, None] * each[:, None]

    def _answers(self, sums: Array, xs: Array) -> Array:
        # A set of which nothing was read has the mean 0.
        means = (sums[..., :-1] / jnp.maximum(sums[..., -1:], 1)).reshape(len(xs), -1)
        return jax.nn.relu(self.answer(jnp.concatenate([means, xs], -1)))


class ClassMeanMemory(MeanMemory):
    """A mean of φ(x) for each class, side by side: r = (r_1, …, r_N), and
    r_k = Σ_i y_ik φ(x_i) / Σ_i y_ik over what was read; 0 for a class of which nothing was.

    How the conditional neural process classifies (Garnelo et al., 2018, section 4.3). A plain mean
    of φ(x_i, y_i) must first find out that labels belong to inputs, and was seen to stay at chance.

    It reads (x, y, 1), and is asked (x, 0, 0), as `Paired` lays them.

    Attributes:
        write: φ.
        answer: ρ.
        ways: N.
        features: the size of h_t.
    """

    ways: int = eqx.field(static=True, kw_only=True)

    @classmethod
    def create(
        cls, inputs: int, features: int = 64, *, ways: int = 5, key: PRNGKeyArray
    ) -> "ClassMeanMemory":
        """φ with one hidden layer of `features`, ρ with one of twice as many; the key is consumed.

        Example:
            >>> memory = ClassMeanMemory.create(2 + 3 + 1, 8, ways=3, key=jax.random.key(0))
            >>> memory.read(memory.initial(), jnp.ones(6)).shape
            (8,)
        """
        write_key, answer_key = jax.random.split(key)
        write = MLP(inputs - ways - 1, (features, features), key=write_key)
        answer = MLP(ways * features + inputs, (2 * features, features), key=answer_key)
        return cls(write, answer, features=features, ways=ways)

    @property
    def sets(self) -> int:
        """One for each class."""
        return self.ways

    def members(self, xs: Float[Array, "time d"]) -> Float[Array, "time sets"]:
        """Which class each input is of; a query is of none."""
        # A label is a unit vector of any length.
        return jnp.sign(xs[:, -self.ways - 1 : -1])

    def encoded(self, xs: Float[Array, "time d"]) -> Float[Array, "time f"]:
        """φ(x), without the label."""
        return self.write(xs[:, : -self.ways - 1])


class AttentiveMemory(Aged):
    """Attention over all that was read: r = Σ_i softmax_i(q(x) · k(x_i)) v(x_i), and ρ(r, x).

    After the deterministic path of the attentive neural process (Kim et al., 2019,
    https://arxiv.org/abs/1901.05761): without positions, so the order of reading is irrelevant as
    long as no more than `past` inputs are read. It differs in one thing: the paper's keys are
    made from a context point's input alone, k(x_i), and only the values see its target too. What
    is read here is the whole of (x_i, y_i), and keys and values are made from that by one network;
    the queries q by another, which is asked (x, 0, 0).

    Attributes:
        write: keys and values.
        ask: queries.
        answer: ρ.
        heads: attention heads.
        past: how many inputs it holds besides the newest.
        features: the size of h_t.
    """

    write: MLP
    ask: MLP
    answer: MLP
    heads: int = eqx.field(static=True)
    past: int = eqx.field(static=True)

    def __check_init__(self):
        if self.heads < 1 or self.features % self.heads:
            raise BadInput(
                f"{self.features} features cannot be shared among {self.heads} heads; give a "
                "multiple of the number of heads"
            )

    @classmethod
    def create(
        cls, inputs: int, features: int = 64, *, heads: int = 4, past: int = 128, key: PRNGKeyArray
    ) -> "AttentiveMemory":
        """Networks with one hidden layer of `features`; the key is consumed.

        Example:
            >>> memory = AttentiveMemory.create(3, 8, past=4, key=jax.random.key(0))
            >>> memory.read(memory.initial(), jnp.ones(3)).shape
            (8,)
        """
        write_key, ask_key, answer_key = jax.random.split(key, 3)
        write = MLP(inputs, (features, 2 * features), key=write_key)
        ask = MLP(inputs, (features, features), key=ask_key)
        answer = MLP(features + inputs, (features, features), key=answer_key)
        return cls(write, ask, answer, heads, past, features=features)

    @property
    def reach(self) -> int | None:
        """As many as it holds."""
        return self.past

    def initial(self) -> State:
        return Ring.empty(self.past + 1, 2 * self.features), jnp.zeros((), jnp.int32)

    def read(self, state: State, x: Float[Array, " d"]) -> Float[Array, " h"]:
        """ρ(r, x), over what is held."""
        held, count = state
        # x is not written: the newest that is held is one input back from it, not none.
        may_see = held.backs < jnp.minimum(count, self.past)
        return self._answers(x[None], held.values, may_see[None])[0]

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        held, count = state
        ages = ages_of(count, resets)
        held, seen, may_see = looking_back(held, self.write(xs), ages, self.past)
        return (held, ages[-1] + 1), self._answers(xs, seen, may_see)

    def _answers(self, xs: Array, held: Array, may_see: Array) -> Array:
        split = (-1, self.heads, self.features // self.heads)
        keys, values = (part.reshape(split) for part in jnp.split(held, 2, axis=-1))
        read = attend(self.ask(xs).reshape(split), keys, values, may_see)
        read = read.reshape(-1, self.features)
        return jax.nn.relu(self.answer(jnp.concatenate([read, xs], -1)))
