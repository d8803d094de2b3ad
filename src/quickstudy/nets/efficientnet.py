"""EfficientNet-Lite, a network of inverted bottlenecks that is fast on a CPU."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.nets.conv import NHWC
from quickstudy.nets.depthwise import depthwise_conv2d

# Of each stage: its blocks, kernel size, stride of the first block, expansion, output channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD = 32, 1280


class Biased(eqx.Module):
    """A convolution's kernel and the bias of each output channel."""

    kernel: Float[Array, "..."]
    bias: Float[Array, " c"]

    @classmethod
    def he_normal(cls, shape: tuple[int, ...], fan_in: int, *, key: PRNGKeyArray) -> "Biased":
        """Weights of variance 2 / fan_in; the key is consumed."""
        kernel = jax.random.normal(key, shape) * jnp.sqrt(2 / fan_in)
        return cls(kernel, jnp.zeros(shape[-1]))

    def add(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        return x + self.bias[None, None, None]


class BlockShape(NamedTuple):
    """Channels before, within and after a block, its kernel's size, and its stride."""

    inputs: int
    wide: int
    outputs: int
    size: int
    stride: int


def shapes() -> list[BlockShape]:
    """EfficientNet-Lite0's blocks, from the first to the last."""
    found, width = [], STEM
    for repeats, size, stride, expansion, outputs in STAGES:
        for number in range(repeats):
            step = 1 if number else stride
            found.append(BlockShape(width, width * expansion, outputs, size, step))
            width = outputs
    return found


class Bottleneck(eqx.Module):
    """1×1 convolution to more channels, ReLU6, depthwise convolution, ReLU6, 1×1 convolution to
    fewer; plus the input where its shape is the output's."""

    expand: Biased | None
    depthwise: Biased
    project: Biased
    stride: int = eqx.field(static=True)

    @classmethod
    def create(cls, shape: BlockShape, *, key: PRNGKeyArray) -> "Bottleneck":
        """Random weights; the key is consumed."""
        k1, k2, k3 = jax.random.split(key, 3)
        n, size = shape.inputs, shape.size
        return cls(
            Biased.he_normal((n, shape.wide), n, key=k1) if shape.wide > n else None,
            Biased.he_normal((size, size, shape.wide), size * size, key=k2),
            Biased.he_normal((shape.wide, shape.outputs), shape.wide, key=k3),
            shape.stride,
        )

    def __call__(self, x: Float[Array, "n h w cin"]) -> Float[Array, "n h2 w2 cout"]:
        wide = x if self.expand is None else pointwise(x, self.expand)
        wide = depthwise_conv2d(wide, self.depthwise.kernel, stride=self.stride)
        wide = jax.nn.relu6(self.depthwise.add(wide))
        out = self.project.add(wide @ self.project.kernel)
        return out + x if out.shape == x.shape else out


class EfficientNetLite(eqx.Module):
    """EfficientNet-Lite0, `[n, h, w, 3] -> [n, 1280]`: EfficientNet-B0 (Tan & Le, 2019,
    https://arxiv.org/abs/1905.11946) without squeeze-and-excitation and with ReLU6, as
    TensorFlow's variant for small machines has it
    (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite).

    Batch normalisation is folded into the convolutions: as a frozen network, normalised by the
    statistics it was trained with, it is a scale and a shift of each channel. The features are
    means over positions of the last 1280 channels.

    `EfficientNetLite.create(key=...)` has random weights; `quickstudy.pretrained` has those that
    were trained on ImageNet.

    Example:
        >>> net = EfficientNetLite.create(key=jax.random.key(0))
        >>> net(jnp.zeros((1, 32, 32, 3))).shape, net.features
        ((1, 1280), 1280)
    """

    stem: Biased
    blocks: tuple[Bottleneck, ...]
    head: Biased

    @classmethod
    def create(cls, *, key: PRNGKeyArray) -> "EfficientNetLite":
        """Random weights; the key is consumed."""
        first, last, *keys = jax.random.split(key, 2 + len(shapes()))
        blocks = [Bottleneck.create(shape, key=k) for shape, k in zip(shapes(), keys, strict=True)]
        width = blocks[-1].project.kernel.shape[1]
        return cls(
            Biased.he_normal((3, 3, 3, STEM), 27, key=first),
            tuple(blocks),
            Biased.he_normal((width, HEAD), width, key=last),
        )

    @property
    def features(self) -> int:
        """How many numbers describe an image."""
        return self.head.bias.shape[0]

    def __call__(self, x: Float[Array, "n h w 3"]) -> Float[Array, "n features"]:
        # XLA's own convolution: as fast here as `conv2d`, and compiled in a tenth of its time.
        x = jax.lax.conv_general_dilated(
            x, self.stem.kernel, (2, 2), "SAME", dimension_numbers=NHWC
        )
        x = jax.nn.relu6(self.stem.add(x))
        for block in self.blocks:
            x = block(x)
        return jnp.mean(pointwise(x, self.head), (1, 2))


def pointwise(x: Float[Array, "n h w cin"], layer: Biased) -> Float[Array, "n h w cout"]:
    """1×1 convolution and ReLU6: a matrix product of every position's channels."""
    return jax.nn.relu6(layer.add(x @ layer.kernel))
