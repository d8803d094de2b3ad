"""A memory behind a layer that reads: what is seen is made small before it is remembered."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.nets.memory import Memory, State
from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Network


class Reader(Memory):
    """A network on the observation, and a memory that reads what it makes of it.

        (m_t, h_t) = memory(m_{t−1}, (f(o_t), rest_t)),   x_t = (o_t, rest_t)

    A view of many cells is long and mostly zeros. A recurrent memory multiplies each of its inputs
    with three or four matrices; f does it once, into few features.

    Attributes:
        network: f.
        memory: reads (f(o_t), rest_t).
        observed: the size of an observation; inputs begin with it.
        features: the size of h_t.
    """

    network: Network
    memory: Memory
    observed: int = eqx.field(static=True)

    @classmethod
    def create(
        cls, memory: Memory, size: int = 64, *, observed: int, key: PRNGKeyArray
    ) -> "Reader":
        """f with one layer; the key is consumed.

        Args:
            memory: reads inputs that are shorter by `observed − size`.
            size: of f(o_t).
            observed: the size of an observation.
            key: consumed.

        Example:
            >>> from quickstudy.nets.memory import GRU
            >>> keys = jax.random.split(jax.random.key(0))
            >>> memory = GRU.create(4 + 2, 8, key=keys[0])
            >>> reader = Reader.create(memory, 4, observed=100, key=keys[1])
            >>> reader.step(reader.initial(), jnp.ones(100 + 2))[1].shape
            (8,)
        """
        network = MLP(observed, (size,), last=jax.nn.relu, key=key)
        return cls(network, memory, observed, features=memory.features)

    def initial(self) -> State:
        return self.memory.initial()

    def clear(self, state: State, reset: Bool[Array, ""]) -> State:
        return self.memory.clear(state, reset)

    def step(self, state: State, x_t: Float[Array, " d"]) -> tuple[State, Float[Array, " h"]]:
        return self.memory.step(state, self._short(x_t[None])[0])

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        return self.memory.sequence(state, self._short(xs), resets)

    def whole(
        self, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        return self.memory.whole(self._short(xs), resets)

    @property
    def reach(self) -> int | None:
        return self.memory.reach

    def _short(self, xs: Float[Array, "time d"]) -> Float[Array, "time s"]:
        read = self.network(xs[:, : self.observed])
        return jnp.concatenate([read, xs[:, self.observed :]], -1)
