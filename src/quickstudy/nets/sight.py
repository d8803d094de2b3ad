"""A small convolution that reads the pictures of an observation."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.nets.conv import conv2d
from quickstudy.nets.mlp import MLP

FILTERS = (16, 32)  # of the first layer, and of the others
SMALL = 8  # the side of a map that is not halved any more

Where = tuple[int, tuple[int, int, int]]
"""The first of a picture's numbers in an observation, and its height, width and channels."""


class Eye(eqx.Module):
    """3 × 3 convolutions that halve a picture until it is small, and a layer of features.

    `[n, h, w, c] -> [n, size]`, rectified after every layer, without norms: what is seen changes
    with the policy.

    Attributes:
        kernels: of each layer, `[3, 3, c_in, c_out]`.
        biases: of each layer, `[c_out]`.
        dense: from the last map to features.
        strides: of the layers.
    """

    kernels: tuple[Float[Array, "3 3 _ _"], ...]
    biases: tuple[Float[Array, " _"], ...]
    dense: MLP
    strides: tuple[int, ...] = eqx.field(static=True)

    @classmethod
    def create(cls, shape: tuple[int, int, int], size: int, *, key: PRNGKeyArray) -> "Eye":
        """Weights of variance 2 / fan-in; the key is consumed.

        Example:
            >>> eye = Eye.create((84, 84, 4), 64, key=jax.random.key(0))
            >>> eye(jnp.ones((2, 84, 84, 4))).shape, eye.strides
            ((2, 64), (2, 2, 2, 2))
        """
        (height, width, cin), (cout, others) = shape, FILTERS
        kernels, strides = [], []
        while not kernels or max(height, width) > SMALL:
            stride = 2 if max(height, width) > SMALL else 1
            height, width = -(-height // stride), -(-width // stride)
            drawn = jax.random.normal(jax.random.fold_in(key, len(kernels)), (3, 3, cin, cout))
            kernels.append(drawn * math.sqrt(2 / (9 * cin)))
            strides.append(stride)
            cin, cout = cout, others
        biases = [jnp.zeros(kernel.shape[-1]) for kernel in kernels]
        own = jax.random.fold_in(key, len(kernels))
        dense = MLP(height * width * cin, (size,), last=jax.nn.relu, key=own)
        return cls(tuple(kernels), tuple(biases), dense, tuple(strides))

    @compiled_once
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n size"]:
        for kernel, bias, stride in zip(self.kernels, self.biases, self.strides, strict=True):
            # [None], because the tests have JAX refuse to broadcast arrays of different ranks.
            x = jax.nn.relu(conv2d(x, kernel, stride=stride) + bias[None, None, None])
        return self.dense(x.reshape(x.shape[0], -1))


class Sight(eqx.Module):
    """An observation with its pictures read: `[n, observed] -> [n, features]`.

    Each picture becomes `size` features; what else is observed follows, as it is.

    Attributes:
        eyes: one for each picture.
        pictures: where they are, from the first to the last.

    Example:
        >>> sight = Sight.create(((2, (8, 8, 3)),), 16, key=jax.random.key(0))
        >>> sight(jnp.ones((5, 2 + 8 * 8 * 3 + 1))).shape, sight.features(2 + 8 * 8 * 3 + 1)
        ((5, 19), 19)
    """

    eyes: tuple[Eye, ...]
    pictures: tuple[Where, ...] = eqx.field(static=True)

    @classmethod
    def create(cls, pictures: tuple[Where, ...], size: int, *, key: PRNGKeyArray) -> "Sight":
        """Untrained; the key is consumed.

        Args:
            pictures: where they are in an observation as one vector, from the first to the last.
            size: features of each.
            key: consumed.
        """
        keys = jax.random.split(key, len(pictures))
        made = zip(pictures, keys, strict=True)
        return cls(tuple(Eye.create(shape, size, key=k) for (_, shape), k in made), pictures)

    def features(self, observed: int) -> int:
        """How many features an observation of that size has."""
        read = sum(eye.dense.layers[-1].bias.size for eye in self.eyes)
        return observed - sum(math.prod(shape) for _, shape in self.pictures) + read

    def __call__(self, x: Float[Array, "n observed"]) -> Float[Array, "n features"]:
        seen, rest, end = [], [], 0
        for eye, (start, shape) in zip(self.eyes, self.pictures, strict=True):
            rest.append(x[:, end:start])
            end = start + math.prod(shape)
            seen.append(eye(x[:, start:end].reshape(x.shape[0], *shape)))
        return jnp.concatenate([*seen, *rest, x[:, end:]], -1)
