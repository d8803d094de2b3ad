"""ResNet-12, block by block."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs

KEY = jax.random.key(0)


RESNET = qs.ResNet12((16, 16, 1), filters=(2, 2, 2, 4), key=KEY)


def test_resnet_is_the_textbook_one():
    """Block by block with `lax.conv` and the order of the paper."""

    def conv(x, kernel):
        names = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=names)

    x = wanted = jax.random.normal(KEY, (2, 16, 16, 1))
    for block in RESNET.blocks:
        beside = block.shortcut.norm(conv(wanted, block.shortcut.kernel))
        for i, unit in enumerate(block.units):
            wanted = unit.norm(conv(wanted, unit.kernel))
            wanted = wanted + beside if i == 2 else wanted
            wanted = jnp.where(wanted > 0, wanted, 0.1 * wanted)
        wanted = pooled(wanted)
    np.testing.assert_allclose(RESNET(x), wanted.mean((1, 2)), rtol=1e-3, atol=1e-5)
    assert RESNET.features == 4


def pooled(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def test_resnet_keeps_support_statistics():
    net = qs.ResNet12((16, 16, 1), filters=(2, 2, 2, 4), norm="support", key=KEY)
    support, query = jax.random.normal(KEY, (2, 3, 16, 16, 1))
    seen = net.condition(support)
    alone = jnp.concatenate([seen(query[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(seen(query), alone, rtol=1e-3, atol=1e-4)
    with pytest.raises(qs.BadInput, match=r"8×20 are too small.*16×16"):
        qs.ResNet12((8, 20, 1), key=KEY)
