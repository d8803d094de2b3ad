"""Functions that are called at every step of a host's environment: the same, and compiled once."""

import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.rl.prepared import prepared
from references.compilations import compilations


def scaled(settings, x):
    """Whether the first leaf counts is no array: it is part of the program."""
    return settings["scale"] * x if settings["name"] == "times" else x


def test_what_is_fixed_is_arrays_and_other_things():
    for name, wanted in (("times", [2.0, 4.0]), ("nothing", [1.0, 2.0])):
        f = prepared(scaled, {"name": name, "scale": jnp.array(2.0)})
        assert f(jnp.array([1.0, 2.0])).tolist() == wanted


def test_new_arrays_compile_nothing():
    """A policy that was improved is prepared again, and its program is there already."""
    x = jnp.array([1.0, 2.0])
    prepared(scaled, {"name": "times", "scale": jnp.array(3.0)})(x)
    after = jnp.array(5.0)
    with compilations() as compiled:
        found = prepared(scaled, {"name": "times", "scale": after})(x)
    assert not compiled
    np.testing.assert_array_equal(found, [5.0, 10.0])


def test_many_are_compiled_at_most_once_each():
    traced = []

    def noted(fixed, x):
        traced.append(x.shape)
        return fixed + x

    f = prepared(noted, jnp.array(1.0))
    for size in (2, 2, 3, 2):
        assert f(jnp.zeros(size)).tolist() == [1.0] * size
    assert traced == [(2,), (3,)]
    assert isinstance(f(jnp.zeros(2)), jax.Array)
