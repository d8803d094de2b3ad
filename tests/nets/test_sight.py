"""What reads pictures, against XLA's own convolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.nets.sight import Eye, Sight

KEY = jax.random.key(0)


@pytest.mark.parametrize(
    ("shape", "strides", "left"),
    [
        ((84, 84, 4), (2, 2, 2, 2), 6 * 6 * 32),
        ((210, 160, 3), (2, 2, 2, 2, 2), 7 * 5 * 32),
        ((7, 7, 3), (1,), 7 * 7 * 16),
        ((1, 2, 1), (1,), 2 * 16),
    ],
)
def test_pictures_are_halved_until_they_are_small(shape, strides, left):
    eye = Eye.create(shape, 10, key=KEY)
    assert eye.strides == strides
    assert eye.dense.layers[0].weight.shape == (left, 10)
    assert jax.eval_shape(eye, jnp.ones((2, *shape))).shape == (2, 10)


def test_an_eye_is_what_it_says():
    eye, x = Eye.create((20, 12, 3), 5, key=KEY), jax.random.uniform(KEY, (4, 20, 12, 3))
    found, names = x, ("NHWC", "HWIO", "NHWC")
    for kernel in eye.kernels:
        found = jax.nn.relu(
            jax.lax.conv_general_dilated(found, kernel, (2, 2), "SAME", dimension_numbers=names)
        )
    wanted = eye.dense(found.reshape(4, -1))
    np.testing.assert_allclose(eye(x), wanted, rtol=1e-4, atol=1e-5)
    # What goes in has about the size of what comes out: weights are scaled for a rectifier.
    assert 0.2 < float(jnp.mean(wanted**2) / jnp.mean(x**2)) < 5


def test_what_is_no_picture_is_left_as_it_is():
    """Two pictures, with numbers before, between and behind them."""
    pictures = ((1, (4, 3, 1)), (15, (2, 2, 3)))
    sight = Sight.create(pictures, 5, key=KEY)
    x = jax.random.uniform(KEY, (6, 30))
    found = sight(x)
    assert found.shape == (6, sight.features(30)) == (6, 16)
    np.testing.assert_array_equal(found[:, :5], sight.eyes[0](x[:, 1:13].reshape(6, 4, 3, 1)))
    np.testing.assert_array_equal(found[:, 5:10], sight.eyes[1](x[:, 15:27].reshape(6, 2, 2, 3)))
    np.testing.assert_array_equal(found[:, 10:], x[:, np.array([0, 13, 14, 27, 28, 29])])
