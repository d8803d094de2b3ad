"""What is no array of real numbers is told."""

from decimal import Decimal

import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.envs.real_numbers import real_numbers
from quickstudy.errors import BadInput


class Odd:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("not on this device")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([[1], [2, 3]], "x is .*, which is no array: "),
        ({"a": 1}, "x is .*; give real numbers: "),
        ([object()], "give real numbers: "),
        (np.array([None, "a"], object), "give real numbers: "),
        (Odd(), "which is no array: not on this device"),
        ("abc", "x is .*abc.*; give real numbers"),
        (b"x", "give real numbers"),
        ([1j], "give real numbers"),
        (np.zeros(1, "M8[s]"), "give real numbers"),
    ],
)
def test_what_is_none_is_told(value, said):
    with pytest.raises(BadInput, match=said):
        real_numbers(value, "x")


def test_what_is_one_is_an_array():
    for value in ([1, 2], (True, 2.0), np.uint8([1, 2]), jnp.array([1, 2], jnp.bfloat16)):
        np.testing.assert_array_equal(real_numbers(value, "x"), [1, 2])
    np.testing.assert_array_equal(real_numbers([Decimal("0.5"), None], "x"), [0.5, np.nan])
