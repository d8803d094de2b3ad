"""`conv2d` equals `lax.conv_general_dilated`, `max_pool` equals `reduce_window`, twice derived."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.errors import BadInput
from quickstudy.nets.conv import conv2d, max_pool
from references.convolutions import assert_equal_derivatives

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


@pytest.mark.parametrize(("shape", "size", "cout", "stride"), CASES)
def test_conv_equals_lax_to_the_second_derivative(shape, size, cout, stride):
    assert_equal_derivatives(shape, size, cout, stride)


def test_conv_float32_stays_float32():
    assert conv2d(jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 2))).dtype == jnp.float32


def test_a_kernel_for_other_channels_is_an_error_of_shape():
    """Which the shapes alone tell, so that a learner's door finds a remedy."""
    untyped = inspect.unwrap(conv2d)
    with pytest.raises(TypeError, match="images of 3 channels and a kernel for 1"):
        jax.eval_shape(untyped, jnp.ones((1, 4, 4, 3)), jnp.ones((3, 3, 1, 2)))


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
