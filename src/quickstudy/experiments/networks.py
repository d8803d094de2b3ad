"""Which network reads the inputs: `--network conv4 | resnet12 | mlp | PATH.py:NAME`.

JAX is imported inside the methods, so that the command line can list what there is at once.
"""

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from quickstudy.errors import BadInput, demand_counts, said_by
from quickstudy.experiments.settings import Choice, Own, made
from quickstudy.experiments.telling import told

if TYPE_CHECKING:
    from jaxtyping import PRNGKeyArray

NormName = Literal["layer", "group", "support", "joint", "batch", "running", "none"]
Compute = Literal["float32", "bfloat16"]
Inputs = tuple[int, ...]
"""The shape of one input: `(h, w, c)` of an image, `(d,)` of a vector."""


@dataclass(frozen=True)
class NetworkConfig(Choice):
    """Base: a network that makes features of inputs."""

    encoder: ClassVar[str] = ""
    """The frozen network of `quickstudy.pretrained` that reads images before this one, if any."""
    features: ClassVar[int] = 0
    """How many features the encoder makes."""
    reads_at: ClassVar[int] = 0
    """Height and width at which the encoder reads images, in pixels."""

    @abc.abstractmethod
    def body(self, inputs: Inputs, *, key: "PRNGKeyArray") -> tuple[Any, int]:
        """An untrained network from `[n, *inputs]` to features, and how many. The key is consumed.

        Raises:
            BadInput: the network does not read inputs of that shape.
        """

    def check(self, inputs: Inputs) -> None:
        """Refuse inputs of a shape that the network does not read.

        Raises:
            BadInput: says which network does.
        """

    def under_a_head(self) -> "NetworkConfig":
        """The network as a linear head reads it; for some networks another readout."""
        return self


@dataclass(frozen=True)
class Conv4Config(NetworkConfig):
    """Four blocks of convolutions (Vinyals et al., 2016, https://arxiv.org/abs/1606.04080)."""

    name: ClassVar[str] = "conv4"

    filters: int = 32
    """Filters of each of the four convolutions."""
    norm: NormName = "layer"
    """Which statistics normalise activations; `batch` is transductive, `joint` takes the support
    set and one query, and `running` is for MAML++."""
    downsample: Literal["stride", "pool"] = "stride"
    """How each block halves the image."""
    readout: Literal["auto", "flatten", "mean"] = "auto"
    """How the last feature map is read: as a whole, or by its mean over positions. `auto` takes the
    mean of strided maps under a linear head, as MAML's published code does, and the whole
    elsewhere."""
    compute: Compute = "float32"
    """Precision of products and activations; weights are float32."""

    def check(self, inputs: Inputs) -> None:
        """Images."""
        _image(self.name, inputs)

    def body(self, inputs: Inputs, *, key: "PRNGKeyArray") -> tuple[Any, int]:
        """Conv4."""
        from quickstudy.nets.conv4 import Conv4

        made = Conv4(
            _image("conv4", inputs),
            filters=self.filters,
            norm=self.norm,
            downsample=self.downsample,
            readout="flatten" if self.readout == "auto" else self.readout,
            key=key,
        )
        return _computed(made, self.compute), made.features

    def maps(self, inputs: Inputs, *, key: "PRNGKeyArray") -> tuple[Any, tuple[int, int, int]]:
        """An untrained network to feature maps `[n, h, w, c]`, and their shape: four blocks, of
        which the first two halve the image. The key is consumed."""
        from quickstudy.nets.conv4 import Conv4

        made = Conv4(
            _image("conv4", inputs),
            filters=self.filters,
            norm=self.norm,
            downsample=self.downsample,
            readout="map",
            halvings=2,
            key=key,
        )
        return _computed(made, self.compute), (*made.size, self.filters)

    def under_a_head(self) -> "Conv4Config":
        """Strided features are averaged over positions, and pooled ones are a single position."""
        if self.readout != "auto":
            return self
        return replace(self, readout="mean" if self.downsample == "stride" else "flatten")


@dataclass(frozen=True)
class ResNet12Config(NetworkConfig):
    """ResNet-12 (Lee et al., 2019, https://arxiv.org/abs/1904.03758)."""

    name: ClassVar[str] = "resnet12"

    filters: int = 64
    """Filters of the first block; the others have 2.5, 5 and 10 times as many."""
    norm: NormName = "layer"
    """Which statistics normalise activations; `batch` is transductive, `joint` takes the support
    set and one query."""
    compute: Compute = "float32"
    """Precision of products and activations; weights are float32."""

    def check(self, inputs: Inputs) -> None:
        """Images."""
        _image(self.name, inputs)

    def body(self, inputs: Inputs, *, key: "PRNGKeyArray") -> tuple[Any, int]:
        """ResNet-12."""
        from quickstudy.nets.resnet12 import ResNet12

        demand_counts(filters=self.filters)
        f = self.filters
        widths = (f, 5 * f // 2, 5 * f, 10 * f)
        made = ResNet12(_image("resnet12", inputs), filters=widths, norm=self.norm, key=key)
        return _computed(made, self.compute), made.features


@dataclass(frozen=True)
class MLPConfig(NetworkConfig):
    """A multilayer perceptron with rectifiers; images are flattened."""

    name: ClassVar[str] = "mlp"

    width: int = 40
    """Units of each hidden layer."""
    layers: int = 2
    """Hidden layers."""

    def body(self, inputs: Inputs, *, key: "PRNGKeyArray") -> tuple[Any, int]:
        """An MLP, its last layer a rectifier too."""
        import math

        import jax

        from quickstudy.nets.mlp import MLP
        from quickstudy.nets.network import Flattened

        demand_counts(layers=self.layers)
        size = math.prod(inputs)
        # Two linear maps in a row, this one and a head, would be no more than one.
        made = MLP(size, (self.width,) * self.layers, last=jax.nn.relu, key=key)
        return (made if len(inputs) == 1 else Flattened(made)), self.width


@dataclass(frozen=True)
class EfficientNetLite0Config(NetworkConfig):
    """Frozen ImageNet features, corrected by a small trained layer.

    Every image is encoded once, before training; learners then meet tasks of features.
    """

    name: ClassVar[str] = "efficientnet-lite0"
    encoder: ClassVar[str] = "efficientnet-lite0"
    features: ClassVar[int] = 1280
    reads_at: ClassVar[int] = 224

    width: int = 256
    """Hidden units of the trained layer; with 0, features are used as they are."""
    scale: float = 4.0
    """Initial length of the features; it is learned."""

    def check(self, inputs: Inputs) -> None:
        """Images, of any size."""
        if inputs != (self.features,):
            _image(self.name, inputs)

    def body(self, inputs: Inputs, *, key: "PRNGKeyArray") -> tuple[Any, int]:
        """The trained layer."""
        from quickstudy.nets.correction import Correction

        # CAVIA puts its context behind the features.
        if len(inputs) != 1 or (extra := inputs[0] - self.features) < 0:
            raise BadInput(
                f"the layer on {self.encoder} reads {self.features} features, and is given inputs "
                f"{list(inputs)}; build it through a quickstudy.Recipe, which encodes images first"
            )
        made = Correction(self.features, self.width, scale=self.scale, extra=extra, key=key)
        return made, self.features


@dataclass(frozen=True)
class OwnNetworkConfig(NetworkConfig):
    """A network of one's own: a function or class `NAME(inputs, key=...)` in a file.

    It returns a module from `[n, *inputs]` to features `[n, d]`.
    """

    name: ClassVar[str] = "own"

    own: Own = Own("")

    def body(self, inputs: Inputs, *, key: "PRNGKeyArray") -> tuple[Any, int]:
        """What the function makes; how many features it has is found by its shapes."""
        import equinox as eqx
        import jax
        import jax.numpy as jnp

        network = made(self.own, inputs, key=key)
        if not callable(network):
            raise BadInput(
                f"{self.own.where} returns {network!r}; it must return a module from [n, ...] to "
                "features [n, d]"
            )
        # Two inputs: of one, it could not be told whether the network keeps the axis of a batch.
        batch = jax.ShapeDtypeStruct((2, *inputs), jnp.float32)
        given = f"a batch of 2 inputs {list(inputs)}"
        wanted = (
            "it must make features [n, d] of [n, ...]; quickstudy.Batched makes such a network of "
            "a module for one example, and quickstudy.Noisy of one that draws, as dropout does"
        )
        try:
            features = eqx.filter_eval_shape(lambda own, x: own(x), network, batch)
        except Exception as error:
            if isinstance(error, BadInput) or told(error):  # by the user's own lines
                raise
            raise BadInput(
                f"the network {self.own.where} fails on {given}: {wanted}. It said: "
                f"{said_by(error)}"
            ) from error
        shape = getattr(features, "shape", None)
        if shape is None or len(shape) != 2 or shape[0] != 2:
            raise BadInput(f"the network {self.own.where} makes {features} of {given}: {wanted}")
        return network, shape[1]


def _computed(made: Any, compute: Compute) -> Any:
    """The network, in the numbers that it is to compute in."""
    from quickstudy.nets.mixed_precision import MixedPrecision

    return made if compute == "float32" else MixedPrecision(made)


def _image(name: str, inputs: Inputs) -> tuple[int, int, int]:
    if len(inputs) != 3:
        raise BadInput(
            f"--network {name} reads images [h, w, c], and this problem's inputs are "
            f"{list(inputs)}; give --network mlp, or PATH.py:NAME of a network of your own"
        )
    height, width, channels = inputs
    return height, width, channels


def with_head(
    network: NetworkConfig, inputs: Inputs, outputs: int, *, key: "PRNGKeyArray", head: Any = None
) -> Any:
    """The body, and a linear head on it that starts at zero.

    Args:
        network: which body.
        inputs: the shape of one input.
        outputs: of the head.
        key: consumed, by the body.
        head: a key, to draw the head's weights from; zeros without one.
    """
    from quickstudy.nets.network import Headed, Linear

    body, features = network.under_a_head().body(inputs, key=key)
    if head is None:
        return Headed(body, Linear.zeros(features, outputs))
    return Headed(body, Linear.create(features, outputs, key=head))
