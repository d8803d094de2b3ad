"""Pytrees held against each other: to the bit, up to rounding, and what differs is told."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.testing.comparing import (
    ROUNDING,
    demand,
    demand_close,
    same_bits,
    stack,
    to_float64,
)

TREE = {"a": np.array([1.0, 2.0]), "b": [np.array(3)], "c": "no array"}


def test_bits_and_types():
    assert same_bits(TREE, {"a": TREE["a"].copy(), "b": [np.array(3)], "c": "another"})
    assert not same_bits(TREE, {**TREE, "a": np.nextafter(TREE["a"], 9)})
    assert not same_bits(np.array(0), np.array(0.0)), "equal bytes of another type"
    assert not same_bits({"x": np.array(0.0)}, {"x": np.array(-0.0)})
    nan = {"x": np.array(np.nan)}
    assert same_bits(nan, jax.tree.map(np.copy, nan))
    with pytest.raises(ValueError, match="zip"):
        same_bits(TREE, {"a": TREE["a"]})


def test_rounding_is_relative_to_each_leaf():
    wanted = {"large": np.array([1000.0, 0.0]), "small": np.array([0.01])}
    within = {"large": np.array([1000.0, 900 * ROUNDING]), "small": np.array([0.01])}
    demand_close(within, wanted, "they")
    beyond = {**wanted, "small": np.array([0.01 + 0.02 * ROUNDING])}
    with pytest.raises(AssertionError, match=r"they are 2e-05 apart, of 0\.01"):
        demand_close(beyond, wanted, "they")
    with pytest.raises(AssertionError, match=r"they have the shapes \(1,\) and \(2,\)"):
        demand_close([np.zeros(1)], [np.zeros(2)], "they")
    demand_close([np.zeros(0)], [np.zeros(0)], "they")
    with pytest.raises(AssertionError):
        demand_close([np.array([np.nan])], [np.array([1.0])], "they")


def test_what_does_not_hold_is_said():
    demand(1, "no")
    with pytest.raises(AssertionError, match="no, it does not"):
        demand([], "no, it does not")


def test_trees_are_stacked():
    found = stack([{"x": np.array(1)}, {"x": np.array(2)}])
    assert found["x"].tolist() == [1, 2]


def test_numbers_with_a_point_become_double():
    with jax.enable_x64(True):
        found = to_float64({"x": jnp.ones(2, jnp.float32), "n": np.arange(2, dtype=np.int32)})
        assert (found["x"].dtype, found["n"].dtype) == (np.float64, np.int32)
