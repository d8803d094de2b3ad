"""The networks that several recipes share."""

from typing import Literal

import jax

from quickstudy.nets.conv4 import Conv4
from quickstudy.nets.network import Headed, Linear


def conv4_classifier(
    seed: int, ways: int, filters: int, norm: str, downsample: Literal["pool", "stride"]
) -> Headed:
    """Conv4 for 28×28 images with a linear head that starts at zero.

    As in MAML's published code, strided features are averaged over positions and pooled ones
    are a single position.

    Args:
        seed: of the initial weights.
        ways: outputs.
        filters: of each convolution.
        norm: one of `quickstudy.nets.norm.NORMS`.
        downsample: `pool` or `stride`.
    """
    body = Conv4(
        (28, 28, 1),
        filters=filters,
        norm=norm,
        downsample=downsample,
        readout="mean" if downsample == "stride" else "flatten",
        key=jax.random.key(seed),
    )
    return Headed(body, Linear.zeros(body.features, ways))
