"""The network that compares feature maps in relation networks."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.nets.blocks import BLOCK, in_blocks
from quickstudy.nets.conv4 import ConvBlock
from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import all_per_example


class ConvRelation(eqx.Module):
    """Two convolutional blocks with max-pooling, a layer of 8 units, and one output.

    `[n, h, w, 2c] -> [n, 1]`, the relation module of Sung et al. (2018,
    https://arxiv.org/abs/1711.06025) before its sigmoid.

    Args:
        maps: height, width and channels of the maps of a pair side by side.
        filters: of both blocks.
        hidden: units of the layer.
        norm: whose statistics normalise, one of `quickstudy.nets.norm.NORMS`.
        key: consumed.

    Raises:
        BadInput: maps too small for two halvings.

    Example:
        >>> import jax.numpy as jnp
        >>> head = ConvRelation((7, 7, 16), filters=8, key=jax.random.key(0))
        >>> head(jnp.ones((3, 7, 7, 16))).shape
        (3, 1)
    """

    blocks: tuple[ConvBlock, ...]
    dense: MLP

    def __init__(
        self,
        maps: tuple[int, int, int],
        *,
        filters: int = 64,
        hidden: int = 8,
        norm: str = "layer",
        key: PRNGKeyArray,
    ):
        height, width, channels = maps
        if min(height, width) < 4:
            raise BadInput(
                f"feature maps of {height}×{width} are too small for two 2×2 poolings (4×4 at "
                "least); give larger images, or compare vectors by an MLP"
            )
        *keys, last = jax.random.split(key, 3)
        self.blocks = tuple(
            ConvBlock.create(size, filters, norm, "pool", key=k)
            for k, size in zip(keys, (channels, filters), strict=True)
        )
        self.dense = MLP((height // 4) * (width // 4) * filters, (hidden, 1), key=last)

    @compiled_once
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n 1"]:
        alone = all_per_example(self)
        return in_blocks(lambda part: self.apply(part), x) if alone else self.apply(x)

    def apply(self, x: Float[Array, "n h w c"]) -> Float[Array, "n 1"]:
        """The network on the whole batch at once."""
        return self._behind(self.blocks[0](x))

    def compare(
        self, classes: Float[Array, "ways h w c"], f: Float[Array, "n h w c"]
    ) -> Float[Array, "pairs 1"]:
        """The network on `quickstudy.learners.relation.pairs(classes, f)`.

        A convolution of two maps side by side is the sum of a convolution of each: ways + n maps
        are convolved, where there are ways · n pairs.
        """
        first, ways = self.blocks[0], len(classes)
        halves = jnp.split(first.kernel, 2, axis=2)
        ours, theirs = (
            ConvBlock(kernel, first.norm, first.downsample).convolve(x)
            for kernel, x in zip(halves, (classes, f), strict=True)
        )

        def compared(theirs: Float[Array, "m h w k"]) -> Float[Array, "m ways 1"]:
            both = (ours[None] + theirs[:, None]).reshape(-1, *theirs.shape[1:])
            return self._behind(first.finish(both)).reshape(len(theirs), ways, 1)

        most = max(1, BLOCK // ways)
        scores = in_blocks(compared, theirs, most) if all_per_example(self) else compared(theirs)
        return scores.reshape(-1, 1)

    def _behind(self, x: Float[Array, "n h w filters"]) -> Float[Array, "n 1"]:
        """What follows the first block."""
        for block in self.blocks[1:]:
            x = block(x)
        return self.dense(x.reshape(x.shape[0], -1))

    def condition(self, x: Float[Array, "n h w c"]) -> "ConvRelation":
        """The same network after it has seen the support set's pairs."""
        blocks = []
        for block in self.blocks:
            seen, x = block.condition(x)
            blocks.append(seen)
        return eqx.tree_at(lambda net: net.blocks, self, tuple(blocks))
