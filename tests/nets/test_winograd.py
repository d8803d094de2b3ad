"""Winograd's tiles against the plain convolution."""

import jax.numpy as jnp
import pytest

from quickstudy.nets import winograd
from quickstudy.nets.conv import conv2d
from references.convolutions import arrays, assert_equal_derivatives, reference


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
