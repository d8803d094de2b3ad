"""Conv4, the network of the few-shot literature: four blocks of 3×3 convolution."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput, demand_counts, demand_sizes
from quickstudy.nets.blocks import in_blocks
from quickstudy.nets.conv import conv2d, max_pool
from quickstudy.nets.norm import Norm, example_moments, make_norm, merged

# Of so few input channels a convolution costs less than to write its output to memory and read it
# again: it is computed twice, a block at a time, whose output stays in the cache.
FEW_CHANNELS = 4
BLOCK_BYTES = 2**20

Downsample = Literal["pool", "stride", "none"]
Readout = Literal["flatten", "mean", "map"]


class ConvBlock(eqx.Module):
    """3×3 convolution, normalisation, halving of the image (or none), ReLU."""

    # Without a bias: the norm behind it has a shift.
    kernel: Float[Array, "3 3 cin cout"]
    norm: Norm
    downsample: Downsample = eqx.field(static=True)

    @classmethod
    def create(
        cls, cin: int, cout: int, norm: str, downsample: Downsample, *, key: PRNGKeyArray
    ) -> "ConvBlock":
        """With a kernel of variance 2 / (9 cin); the key is consumed."""
        return cls(_he_normal(key, cin, cout), make_norm(norm, cout), downsample)

    def convolve(self, x: Float[Array, "n h w cin"]) -> Float[Array, "n h2 w2 cout"]:
        return conv2d(x, self.kernel, stride=2 if self.downsample == "stride" else 1)

    def finish(self, hidden: Float[Array, "n h w cout"]) -> Float[Array, "n h2 w2 cout"]:
        """Normalise, halve, ReLU, in an order that touches fewer numbers for the same values."""
        if self.downsample != "pool":
            return jax.nn.relu(self.norm(hidden))
        extreme, moments = self._extreme(hidden), self.norm.moments(hidden)
        return jax.nn.relu(self.norm.normalise(extreme, *moments))

    def _extreme(self, hidden: Float[Array, "n h w cout"]) -> Float[Array, "n h2 w2 cout"]:
        """What is left of every 2×2 window.

        Normalising keeps the order of a channel's values, or reverses it where the scale is
        negative: so the window's largest (or least) value is found before, and a quarter of the
        values is left to normalise.
        """
        sign = jnp.where(self.norm.scale < 0, -1.0, 1.0).astype(hidden.dtype)[None, None, None]
        # On the way back, XLA would pick windows' gradients anew for every term they are added to.
        hidden = jax.lax.optimization_barrier(hidden)
        return sign * max_pool(sign * hidden, 2)

    def __call__(self, x: Float[Array, "n h w cin"]) -> Float[Array, "n h2 w2 cout"]:
        image = x.shape[1] * x.shape[2] * self.kernel.shape[3] * x.dtype.itemsize
        most = max(1, BLOCK_BYTES // image)
        few = x.shape[3] <= FEW_CHANNELS and x.shape[0] > most
        if few and self.downsample == "pool" and self.norm.over_batch:
            return self._in_blocks(x, most)
        return self.finish(self.convolve(x))

    def _in_blocks(self, x: Float[Array, "n h w cin"], most: int) -> Float[Array, "n h2 w2 cout"]:
        """The same for batch statistics, without the whole batch's full-size activations.

        A block of images is convolved to its windows' extremes and each image's moments, and once
        more on the way back.
        """

        def seen(x: Float[Array, "m h w cin"]) -> tuple[Any, Any]:
            hidden = self.convolve(x)
            return self._extreme(hidden), example_moments(hidden)

        extreme, moments = in_blocks(seen, x, most)
        return jax.nn.relu(self.norm.normalise(extreme, *merged(*moments)))

    def condition(
        self, x: Float[Array, "n h w cin"]
    ) -> tuple["ConvBlock", Float[Array, "n h2 w2 cout"]]:
        """This block after it has seen the support activations `x`, and what it makes of them."""
        hidden = self.convolve(x)
        seen = ConvBlock(self.kernel, self.norm.condition(hidden), self.downsample)
        return seen, seen.finish(hidden)


class Conv4(eqx.Module):
    """Four convolutional blocks, `[n, h, w, channels] -> [n, features]` (Vinyals et al., 2016,
    https://arxiv.org/abs/1606.04080).

    Args:
        image: height, width and channels of one image.
        filters: filters of each block.
        norm: whose statistics normalise, one of `quickstudy.nets.norm.NORMS`; `layer`
            (inductive) by default.
        downsample: `pool`, 2×2 max-pooling, or `stride`, convolutions of stride 2.
        readout: `flatten` the last feature map, take its `mean` over positions, or leave the `map`
            `[n, h, w, filters]` as it is.
        halvings: the first so many blocks halve the image: all, or two as in relation networks.
        key: consumed.

    Raises:
        BadInput: an unknown name, no filters, or an image too small for four halvings by pooling.

    Example:
        >>> net = Conv4((28, 28, 1), filters=8, key=jax.random.key(0))
        >>> net(jnp.ones((2, 28, 28, 1))).shape, net.features
        ((2, 8), 8)
    """

    blocks: tuple[ConvBlock, ...]
    readout: Readout = eqx.field(static=True)
    features: int = eqx.field(static=True)
    size: tuple[int, int] = eqx.field(static=True)

    def __init__(
        self,
        image: tuple[int, int, int],
        *,
        filters: int = 64,
        norm: str = "layer",
        downsample: Downsample = "pool",
        readout: Readout = "flatten",
        halvings: int = 4,
        key: PRNGKeyArray,
    ):
        demand_counts(filters=filters)
        demand_sizes(3, image=image)
        height, width, channels = image
        for _ in range(halvings):
            # A SAME convolution of stride 2 rounds up, 2×2 pooling rounds down.
            height, width = (
                (height // 2, width // 2)
                if downsample == "pool"
                else (-(-height // 2), -(-width // 2))
            )
        if min(height, width) < 1:
            raise BadInput(
                f"images of {image[0]}×{image[1]} are too small for {halvings} 2×2 poolings "
                f"({2**halvings}×{2**halvings} at least); give larger images, or "
                "downsample='stride'"
            )
        sizes = (channels, filters, filters, filters)
        self.blocks = tuple(
            ConvBlock.create(size, filters, norm, downsample if i < halvings else "none", key=k)
            for i, (k, size) in enumerate(zip(jax.random.split(key, 4), sizes, strict=True))
        )
        self.size = (height, width)
        self.readout = readout
        self.features = filters * (height * width if readout == "flatten" else 1)

    @compiled_once
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n ..."]:
        # Statistics of a batch cannot be taken block by block.
        alone = all(block.norm.per_example for block in self.blocks)
        return in_blocks(lambda block: self.apply(block), x) if alone else self.apply(x)

    def apply(self, x: Float[Array, "n h w c"]) -> Float[Array, "n ..."]:
        """The network on the whole batch at once."""
        for block in self.blocks:
            x = block(x)
        return self.read(x)

    def read(self, x: Float[Array, "n h w c"]) -> Float[Array, "n ..."]:
        """Features from the last feature map."""
        if self.readout == "map":
            return x
        return x.reshape(x.shape[0], -1) if self.readout == "flatten" else jnp.mean(x, (1, 2))

    def condition(self, x: Float[Array, "n h w c"]) -> "Conv4":
        """The same network after it has seen the support images `x`."""
        blocks = []
        for block in self.blocks:
            seen, x = block.condition(x)
            blocks.append(seen)
        return eqx.tree_at(lambda net: net.blocks, self, tuple(blocks))


def _he_normal(key: PRNGKeyArray, cin: int, cout: int) -> Float[Array, "3 3 cin cout"]:
    return jax.random.normal(key, (3, 3, cin, cout)) * jnp.sqrt(2 / (9 * cin))
