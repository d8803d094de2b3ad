"""SNAIL: temporal convolutions to gather, attention to pick out."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.nets.causal import Ages, Causal, CausalLayer, Ring, attend, looking_back, remembered
from quickstudy.nets.memory import State
from quickstudy.nets.network import Linear


class DenseConvolution(CausalLayer):
    """x_t ↦ [x_t, tanh(a) · σ(b)] with (a, b) = W [x_t, x_{t−dilation}] + bias."""

    gates: Linear
    dilation: int = eqx.field(static=True)

    def initial(self) -> State:
        return Ring.empty(self.dilation, self.gates.weight.shape[0] // 2)

    def apply(
        self, state: State | None, xs: Float[Array, "time d"], ages: Ages
    ) -> tuple[State, Float[Array, "time d2"]]:
        start = self.initial() if state is None else state
        if len(xs) == 1:  # the oldest value lies where this one goes
            state, both = start.wrote(xs[0]), start.values[start.following][None]
        else:
            # The ring's `dilation` values stand first, so that entry t is x_{t − dilation}.
            state, both = remembered(start, xs, self.dilation)
        earlier = jnp.where((ages >= self.dilation)[:, None], both[: len(xs)], 0.0)
        a, b = jnp.split(self.gates(jnp.concatenate([xs, earlier], -1)), 2, axis=-1)
        return state, jnp.concatenate([xs, jnp.tanh(a) * jax.nn.sigmoid(b)], -1)


class AttentionRead(CausalLayer):
    """x_t ↦ [x_t, Σ_j softmax(q_t · k_j) v_j], over x_t itself and the last `past` inputs."""

    project: Linear
    keys: int = eqx.field(static=True)
    past: int = eqx.field(static=True)

    @property
    def reach(self) -> int | None:
        """As many inputs as it holds."""
        return self.past

    def initial(self) -> State:
        return Ring.empty(self.past + 1, self.project.weight.shape[1] - self.keys)

    def apply(
        self, state: State | None, xs: Float[Array, "time d"], ages: Ages
    ) -> tuple[State, Float[Array, "time d2"]]:
        projected = self.project(xs)
        queries, written = projected[:, : self.keys], projected[:, self.keys :]
        state, seen, may_see = looking_back(state, written, ages, self.past)
        keys, values = seen[:, None, : self.keys], seen[:, None, self.keys :]
        read = attend(queries[:, None], keys, values, may_see)
        return state, jnp.concatenate([xs, read[:, 0]], -1)


class SNAIL(Causal):
    """A simple neural attentive learner (Mishra et al., 2018, https://arxiv.org/abs/1707.03141).

    Attention, temporal convolutions with dilations 1, 2, 4 … until together they span the
    sequence, attention, convolutions, attention: every layer's output is appended to its input.

    Attributes:
        layers: the paper's stack for few-shot classification.
        features: the size of the last layer's output.
    """

    @classmethod
    def create(
        cls,
        inputs: int,
        *,
        filters: int = 128,
        attention: tuple[tuple[int, int], ...] = ((64, 32), (256, 128), (512, 256)),
        past: int = 128,
        key: PRNGKeyArray,
    ) -> "SNAIL":
        """The stack for sequences of up to `past` inputs.

        Args:
            inputs: the size of x_t.
            filters: channels that each convolution adds.
            attention: sizes of keys and values of each attention; convolutions lie between them.
            past: how many inputs it looks back.
            key: consumed.

        Example:
            >>> memory = SNAIL.create(
            ...     3, filters=4, attention=((4, 4), (4, 4)), past=8, key=jax.random.key(0)
            ... )
            >>> memory.features  # 3 + 4 read + 4 convolutions of 4 + 4 read
            27
        """
        # A query comes after `past` inputs: the paper's sequence is N·K + 1 long.
        convolutions = math.ceil(math.log2(past + 1))
        layers: list[CausalLayer] = []
        size = inputs
        for i, (keys, values) in enumerate(attention):
            for j in range(convolutions if i else 0):
                own = jax.random.fold_in(jax.random.fold_in(key, i), j)
                gates = Linear.create(2 * size, 2 * filters, key=own)
                layers.append(DenseConvolution(gates, 2**j))
                size += filters
            # 64 keeps clear of the convolutions' j, for no stack has as many.
            own = jax.random.fold_in(jax.random.fold_in(key, i), len(layers) + 64)
            project = Linear.create(size, 2 * keys + values, key=own)
            layers.append(AttentionRead(project, keys, past))
            size += values
        return cls(tuple(layers), features=size)
