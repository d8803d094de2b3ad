"""ResNet-12, the deeper network of the few-shot literature."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput, demand_sizes
from quickstudy.nets.blocks import in_blocks
from quickstudy.nets.conv import conv2d, max_pool
from quickstudy.nets.norm import Norm, make_norm

Kernel = Float[Array, "kh kw cin cout"]


class Unit(eqx.Module):
    """Convolution and normalisation."""

    kernel: Kernel
    norm: Norm

    @classmethod
    def create(cls, size: int, cin: int, cout: int, norm: str, *, key: PRNGKeyArray) -> "Unit":
        """He's initialisation; the key is consumed."""
        kernel = jax.random.normal(key, (size, size, cin, cout)) * jnp.sqrt(2 / (size**2 * cin))
        return cls(kernel, make_norm(norm, cout))

    def condition(self, x: Float[Array, "n h w c"]) -> tuple["Unit", Float[Array, "n h w d"]]:
        """The unit after it has seen `x`, and what it makes of it."""
        hidden = conv2d(x, self.kernel)
        norm = self.norm.condition(hidden)
        return Unit(self.kernel, norm), norm(hidden)


class Residual(eqx.Module):
    """Three units beside a shortcut of one, added, leaky ReLU, 2×2 max-pooling."""

    units: tuple[Unit, Unit, Unit]
    shortcut: Unit

    def condition(self, x: Float[Array, "n h w c"]) -> tuple["Residual", Float[Array, "n h w d"]]:
        """The block after it has seen `x`, and what it makes of it."""
        shortcut, beside = self.shortcut.condition(x)
        units = []
        for i, unit in enumerate(self.units):
            seen, x = unit.condition(x)
            units.append(seen)
            x = jax.nn.leaky_relu(x if i < 2 else x + beside, 0.1)
        return Residual((units[0], units[1], units[2]), shortcut), max_pool(x, 2)


class ResNet12(eqx.Module):
    """ResNet-12, `[n, h, w, channels] -> [n, features]` (Mishra et al., 2018,
    https://arxiv.org/abs/1707.03141; in this form Lee et al., 2019,
    https://arxiv.org/abs/1904.03758, without DropBlock).

    Args:
        image: height, width and channels of one image; at least 16×16.
        filters: of each of the four blocks.
        norm: whose statistics normalise, one of `quickstudy.nets.norm.NORMS`.
        key: consumed.

    Raises:
        BadInput: an unknown norm, or an image too small for four halvings.

    Example:
        >>> net = ResNet12((16, 16, 1), filters=(2, 2, 2, 4), key=jax.random.key(0))
        >>> net(jnp.ones((1, 16, 16, 1))).shape, net.features
        ((1, 4), 4)
    """

    blocks: tuple[Residual, ...]
    features: int = eqx.field(static=True)

    def __init__(
        self,
        image: tuple[int, int, int],
        *,
        filters: tuple[int, int, int, int] = (64, 160, 320, 640),
        norm: str = "layer",
        key: PRNGKeyArray,
    ):
        demand_sizes(3, image=image)
        demand_sizes(4, filters=filters)
        if min(image[:2]) < 16:
            raise BadInput(
                f"images of {image[0]}×{image[1]} are too small for four halvings; give 16×16 or "
                "larger"
            )
        blocks, cin = [], image[2]
        for cout, own in zip(filters, jax.random.split(key, 4), strict=True):
            keys = jax.random.split(own, 4)
            first, second, third = (
                Unit.create(3, size, cout, norm, key=k)
                for size, k in zip((cin, cout, cout), keys[:3], strict=True)
            )
            shortcut = Unit.create(1, cin, cout, norm, key=keys[3])
            blocks.append(Residual((first, second, third), shortcut))
            cin = cout
        self.blocks, self.features = tuple(blocks), filters[-1]

    @compiled_once
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n features"]:
        norms = [unit.norm for block in self.blocks for unit in (*block.units, block.shortcut)]
        alone = all(norm.per_example for norm in norms)
        # `condition` runs the network, too: a norm that has seen the support set stays as it is.
        return in_blocks(lambda b: self._run(b)[1], x) if alone else self._run(x)[1]

    def condition(self, x: Float[Array, "n h w c"]) -> "ResNet12":
        """The same network after it has seen the support images `x`."""
        return self._run(x)[0]

    def _run(self, x: Float[Array, "n h w c"]) -> tuple["ResNet12", Float[Array, "n features"]]:
        blocks = []
        for block in self.blocks:
            seen, x = block.condition(x)
            blocks.append(seen)
        return eqx.tree_at(lambda net: net.blocks, self, tuple(blocks)), jnp.mean(x, (1, 2))
