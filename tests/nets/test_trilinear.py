"""The trilinear primitive: in blocks, inside shard_map, and one kernel per task."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, PartitionSpec

from quickstudy.nets import trilinear
from quickstudy.nets.conv import conv2d
from references.convolutions import arrays, assert_equal_derivatives, reference


def test_conv_in_blocks_of_images_equals_lax(monkeypatch):
    # Two images of 6×6 fit: five images are three blocks, the last of them half empty.
    monkeypatch.setattr(trilinear, "CACHE_BYTES", 2 * 4 * 36 * 9 * 2)
    assert trilinear._blocks(1, (5, 6, 6, 2), (3, 3, 2, 3)) == (3, 2)
    assert_equal_derivatives((5, 6, 6, 2), (3, 3), 3, 1)


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
