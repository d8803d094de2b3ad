"""`conv2d` equals `lax.conv_general_dilated`, `max_pool` equals `reduce_window`, twice derived."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.errors import BadInput
from quickstudy.nets.conv import NHWC, conv2d, max_pool

SHAPES = [
    # (n, h, w, cin), (kh, kw), cout
    ((2, 6, 6, 2), (3, 3), 3),
    ((2, 7, 5, 1), (3, 3), 2),
    ((1, 5, 8, 3), (2, 3), 2),
    ((2, 4, 7, 2), (5, 1), 1),
    ((1, 1, 2, 2), (3, 3), 2),
]


def reference(x, kernel, stride):
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=NHWC)


def ours(x, kernel, stride):
    return conv2d(x, kernel, stride=stride)


def arrays(shape, size, cout, count=2):
    rng = np.random.default_rng(0)
    make = lambda s: jnp.asarray(rng.normal(size=s))  # noqa: E731
    return [(make(shape), make((*size, shape[-1], cout))) for _ in range(count)]


def derivatives(conv, stride, point, direction):
    """Value, first and second derivatives of a scalar that is not linear in either argument."""

    def scalar(x, kernel):
        return jnp.sum(jnp.sin(conv(x, kernel, stride)))

    gradient = jax.grad(scalar, argnums=(0, 1))
    reverse = lambda *p: sum(  # noqa: E731
        jnp.vdot(g, d) for g, d in zip(gradient(*p), direction, strict=True)
    )
    return (
        conv(*point, stride),
        gradient(*point),
        jax.jvp(gradient, point, direction)[1],
        jax.grad(reverse, argnums=(0, 1))(*point),
    )


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("shape", "size", "cout"), SHAPES)
def test_conv_equals_lax_to_the_second_derivative(shape, size, cout, stride):
    with jax.enable_x64(True):
        point, direction = arrays(shape, size, cout)
        mine = jax.jit(lambda p, d: derivatives(ours, stride, p, d))(point, direction)
        theirs = jax.jit(lambda p, d: derivatives(reference, stride, p, d))(point, direction)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-11), mine, theirs)


def test_conv_with_one_kernel_per_task_equals_a_loop():
    (x, kernel), (x2, kernel2) = arrays((2, 6, 6, 2), (3, 3), 3)
    mapped = jax.vmap(lambda a, k: conv2d(a, k, stride=2))(
        jnp.stack([x, x2]), jnp.stack([kernel, kernel2])
    )
    loop = [reference(x, kernel, 2), reference(x2, kernel2, 2)]
    np.testing.assert_allclose(mapped, jnp.stack(loop), atol=1e-5)


def test_conv_float32_stays_float32():
    assert conv2d(jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 2))).dtype == jnp.float32


@pytest.mark.parametrize("stride", [0, -1])
def test_conv_refuses_a_stride_below_one(stride):
    with pytest.raises(BadInput, match="stride"):
        conv2d(jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 1)), stride=stride)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("hw", [(6, 6), (7, 5), (3, 4)])
def test_max_pool_equals_reduce_window_to_the_second_derivative(hw, size):
    window = (1, size, size, 1)

    def reference_pool(x):
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")

    def scalar(pool):
        return lambda x: jnp.sum(jnp.sin(pool(x)))

    with jax.enable_x64(True):
        rng = np.random.default_rng(1)
        x, v = (jnp.asarray(rng.normal(size=(2, *hw, 3))) for _ in range(2))
        ours_pool = lambda a: max_pool(a, size)  # noqa: E731
        np.testing.assert_array_equal(ours_pool(x), reference_pool(x))
        for pool in (ours_pool, reference_pool):
            value = jax.jvp(jax.grad(scalar(pool)), (x,), (v,))
            if pool is ours_pool:
                mine = value
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), mine, value)


def test_max_pool_refuses_an_image_smaller_than_one_block():
    with pytest.raises(BadInput, match="1×5"):
        max_pool(jnp.ones((1, 1, 5, 1)))
