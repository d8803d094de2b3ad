"""Pytrees held against each other."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

ROUNDING = 1e-3  # float32, in another order of summation, through a few steps of descent


def demand(holds: Any, otherwise: str) -> None:
    """Raise `AssertionError(otherwise)` unless it holds."""
    if not holds:
        raise AssertionError(otherwise)


def same_bits(a: Any, b: Any) -> bool:
    """Whether all arrays of two pytrees of one structure are equal to the last bit.

    Example:
        >>> same_bits({"w": np.ones(2)}, {"w": np.ones(2) + 1e-15})
        False
    """
    pairs = zip(_arrays(a), _arrays(b), strict=True)
    return all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs)


def demand_close(a: Any, b: Any, what: str) -> None:
    """Raise `AssertionError` unless equal up to rounding, relative to each leaf's largest number.

    Args:
        a: a pytree.
        b: another of the same structure.
        what: names both, for the message.
    """
    for x, y in zip(_arrays(a), _arrays(b), strict=True):
        demand(x.shape == y.shape, f"{what} have the shapes {x.shape} and {y.shape}")
        # A leaf of zeros has no scale of its own.
        scale = float(np.max(np.abs(y), initial=1e-3))
        apart = float(np.max(np.abs(x - y), initial=0.0))
        demand(apart <= ROUNDING * scale, f"{what} are {apart:.2g} apart, of {scale:.2g}")


def stack(trees: Sequence[Any]) -> Any:
    """The trees' leaves stacked; in NumPy, for JAX would compile a function for each shape."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)


def to_float64(tree: Any) -> Any:
    """Every floating-point array in float64; only within `jax.enable_x64`."""
    return jax.tree.map(
        lambda x: jnp.asarray(np.asarray(x, np.float64)) if eqx.is_inexact_array(x) else x, tree
    )


def _arrays(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype")]
