"""A causal transformer as a memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.errors import BadInput
from quickstudy.nets.causal import Ages, Causal, CausalLayer, Ring, attend, looking_back
from quickstudy.nets.memory import State
from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Linear
from quickstudy.nets.norm import LayerNorm, Norm


class Embed(CausalLayer):
    """A linear map of each input: the transformer's first layer."""

    linear: Linear

    def initial(self) -> State:
        return ()

    def apply(
        self, state: State | None, xs: Float[Array, "time d"], ages: Ages
    ) -> tuple[State, Float[Array, "time w"]]:
        return self.initial(), self.linear(xs)


class Block(CausalLayer):
    """x ← x + attention(norm(x)), x ← x + mlp(norm(x)), over the last `past` inputs.

    Positions enter by rotating queries and keys (Su et al., 2021,
    https://arxiv.org/abs/2104.09864), so only distances matter and a buffered key stays valid.
    """

    before_attention: Norm
    project: Linear
    merge: Linear
    before_mlp: Norm
    mlp: MLP
    heads: int = eqx.field(static=True)
    past: int = eqx.field(static=True)

    @property
    def reach(self) -> int | None:
        """As many inputs as it holds."""
        return self.past

    def initial(self) -> State:
        width = self.merge.weight.shape[0]
        return Ring.empty(self.past + 1, 2 * width)

    def apply(
        self, state: State | None, xs: Float[Array, "time w"], ages: Ages
    ) -> tuple[State, Float[Array, "time w"]]:
        time, width = xs.shape
        split = (-1, self.heads, width // self.heads)
        queries, keys, values = jnp.split(self.project(self.before_attention(xs)), 3, axis=-1)
        queries = rotate(queries.reshape(split), ages)
        keys = rotate(keys.reshape(split), ages).reshape(time, width)
        # Keys are kept as they were rotated at their own age: they need not be turned again later.
        written = jnp.concatenate([keys, values], axis=-1)
        state, seen, may_see = looking_back(state, written, ages, self.past)
        keys, values = (part.reshape(split) for part in jnp.split(seen, 2, axis=-1))
        read = attend(queries, keys, values, may_see)
        xs = xs + self.merge(read.reshape(time, width))
        return state, xs + self.mlp(self.before_mlp(xs))


class Transformer(Causal):
    """A causal transformer (Vaswani et al., 2017, https://arxiv.org/abs/1706.03762) as a memory,
    with normalisation before each sublayer.

    Attributes:
        layers: an embedding and the blocks.
        features: the width.
    """

    @classmethod
    def create(
        cls,
        inputs: int,
        width: int = 64,
        *,
        heads: int = 4,
        depth: int = 2,
        past: int = 128,
        key: PRNGKeyArray,
    ) -> "Transformer":
        """An embedding and `depth` blocks, with random weights.

        Args:
            inputs: the size of x_t.
            width: the size of h_t.
            heads: attention heads; each gets an even share of the width.
            depth: blocks.
            past: how many inputs it looks back.
            key: consumed.

        Raises:
            BadInput: the width cannot be shared among the heads.

        Example:
            >>> memory = Transformer.create(3, 16, heads=2, past=8, key=jax.random.key(0))
            >>> memory.step(memory.initial(), jnp.ones(3))[1].shape
            (16,)
        """
        if width % (2 * heads):
            raise BadInput(
                f"a width of {width} cannot be split into {heads} heads of even size; "
                f"give a multiple of {2 * heads}"
            )
        first, *rest = jax.random.split(key, depth + 1)
        blocks = (_block(width, heads, past, key=k) for k in rest)
        return cls((Embed(Linear.create(inputs, width, key=first)), *blocks), features=width)


def rotate(x: Float[Array, "time heads d"], ages: Ages) -> Float[Array, "time heads d"]:
    """Turn each pair of coordinates by its own multiple of the age."""
    # Which coordinates make a pair is free, as they come from a learned map; halves need no
    # interleaving.
    half = x.shape[-1] // 2
    frequency = 1e4 ** (-jnp.arange(half) / half)
    angle = (ages[:, None] * frequency[None])[:, None]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate(
        [a * jnp.cos(angle) - b * jnp.sin(angle), a * jnp.sin(angle) + b * jnp.cos(angle)], -1
    )


def _block(width: int, heads: int, past: int, *, key: PRNGKeyArray) -> Block:
    project_key, merge_key, mlp_key = jax.random.split(key, 3)
    return Block(
        LayerNorm.create(width),
        Linear.create(width, 3 * width, key=project_key),
        Linear.create(width, width, key=merge_key),
        LayerNorm.create(width),
        MLP(width, (4 * width, width), activation=jax.nn.gelu, key=mlp_key),
        heads,
        past,
    )
