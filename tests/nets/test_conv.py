"""`conv2d` equals `lax.conv_general_dilated`, `max_pool` equals `reduce_window`, twice derived."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, PartitionSpec

from quickstudy.errors import BadInput
from quickstudy.nets import trilinear, winograd
from quickstudy.nets.conv import NHWC, conv2d, max_pool

CASES = [
    # (n, h, w, cin), (kh, kw), cout, stride
    ((2, 6, 6, 2), (3, 3), 3, 1),
    ((2, 7, 5, 1), (3, 3), 2, 1),
    ((2, 6, 7, 2), (3, 3), 3, 2),
    ((2, 5, 8, 1), (3, 3), 2, 3),
    ((1, 5, 8, 3), (2, 3), 2, 1),
    ((1, 4, 7, 2), (5, 2), 2, 2),
    ((1, 1, 2, 2), (3, 3), 2, 2),
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


def assert_equal_derivatives(shape, size, cout, stride):
    with jax.enable_x64(True):
        point, direction = arrays(shape, size, cout)

        @jax.jit
        def both(p, d):
            return derivatives(ours, stride, p, d), derivatives(reference, stride, p, d)

        mine, theirs = both(point, direction)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), mine, theirs)


@pytest.mark.parametrize(("shape", "size", "cout", "stride"), CASES)
def test_conv_equals_lax_to_the_second_derivative(shape, size, cout, stride):
    assert_equal_derivatives(shape, size, cout, stride)


def test_conv_in_blocks_of_images_equals_lax(monkeypatch):
    # Two images of 6×6 fit: five images are three blocks, the last of them half empty.
    monkeypatch.setattr(trilinear, "CACHE_BYTES", 2 * 4 * 36 * 9 * 2)
    assert trilinear._blocks(1, (5, 6, 6, 2), (3, 3, 2, 3)) == (3, 2)
    assert_equal_derivatives((5, 6, 6, 2), (3, 3), 3, 1)


@pytest.mark.parametrize("hw", [(8, 8), (9, 11)])
def test_conv_by_winograd_equals_lax(monkeypatch, hw):
    monkeypatch.setattr(winograd, "MIN_TILES", 1)
    assert winograd.is_faster(1, (2, *hw, 16), (3, 3, 16, 16))
    assert_equal_derivatives((2, *hw, 16), (3, 3), 16, 1)


def test_winograd_in_float32_differs_from_lax_by_rounding_only():
    x, kernel = (a.astype(jnp.float32) for a in arrays((16, 14, 14, 32), (3, 3), 32)[0])
    assert winograd.is_faster(1, x.shape, kernel.shape)
    expected = reference(x, kernel, 1)
    error = jnp.max(jnp.abs(conv2d(x, kernel) - expected)) / jnp.max(jnp.abs(expected))
    assert error < 2e-6


def test_second_derivative_inside_shard_map_equals_the_one_outside(monkeypatch):
    # Two layers, so that the image's gradient is needed too, and the second one in blocks.
    monkeypatch.setattr(trilinear, "CACHE_BYTES", 2 * 4 * 9 * 9 * 3)
    mesh = jax.make_mesh((jax.device_count(),), ("tasks",), axis_types=(AxisType.Auto,))
    (x, first), _ = arrays((3 * jax.device_count(), 6, 6, 2), (3, 3), 3)
    (_, second), _ = arrays((1, 3, 3, 3), (3, 3), 2)

    def loss(kernels, x):
        hidden = jnp.sin(conv2d(x, kernels[0], stride=2))
        return jnp.sum(jnp.sin(conv2d(hidden, kernels[1])))

    def product(kernels, x):
        return jax.grad(lambda k: sum(jnp.vdot(g, g) for g in jax.grad(loss)(k, x)))(kernels)

    def local(kernels, x):
        kernels = jax.lax.pcast(kernels, "tasks", to="varying")
        return jax.tree.map(lambda g: jax.lax.psum(g, "tasks"), product(kernels, x))

    specs = (PartitionSpec(), PartitionSpec("tasks"))
    sharded = jax.shard_map(local, mesh=mesh, in_specs=specs, out_specs=PartitionSpec())
    found = jax.jit(sharded)((first, second), x)
    halves = jnp.split(x, jax.device_count())
    expected = jax.tree.map(lambda *g: sum(g), *(product((first, second), h) for h in halves))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-2, atol=0.5), found, expected
    )


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


@pytest.mark.parametrize(("hw", "size"), [((6, 6), 2), ((7, 5), 2), ((6, 7), 3)])
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
        mine, theirs = (
            jax.jvp(jax.grad(scalar(pool)), (x,), (v,)) for pool in (ours_pool, reference_pool)
        )
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), mine, theirs)


def test_max_pool_of_equal_values_sends_the_gradient_to_the_first():
    gradient = jax.grad(lambda x: jnp.sum(max_pool(x)))(jnp.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(gradient[0, :, :, 0], [[1, 0], [0, 0]])


@pytest.mark.parametrize("place", range(4))
def test_max_pool_keeps_a_nan(place):
    x = jnp.zeros(4).at[place].set(jnp.nan).reshape(1, 2, 2, 1)
    assert jnp.isnan(max_pool(x))[0, 0, 0, 0]


def test_max_pool_refuses_an_image_smaller_than_one_block():
    with pytest.raises(BadInput, match="1×5"):
        max_pool(jnp.ones((1, 1, 5, 1)))
