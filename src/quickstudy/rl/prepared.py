"""Compiled functions that are called at every step of an environment on the host."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jaxtyping import PyTree


def prepared(
    f: Callable[..., Any], *fixed: PyTree, donated: tuple[int, ...] = ()
) -> Callable[..., Any]:
    """f(*fixed, *others) as a function of `others`, compiled.

    What is fixed is flattened, hashed and compared here, once. `eqx.filter_jit` would do it at
    every call, which can take as long as what is called: a small policy that acts.

    Args:
        f: pure; the same function every time, for each new one is compiled anew.
        fixed: pytrees of arrays and of what can be hashed.
        donated: which of the others, from 0, may be overwritten by what is returned.

    Returns:
        a function of pytrees of arrays.

    Example:
        >>> import jax.numpy as jnp, quickstudy as qs
        >>> policy = qs.Reactive.create(qs.Navigation(), (8,), key=jax.random.key(0))
        >>> act = prepared(lambda policy, seen: policy.actions(seen).mean, policy)
        >>> act(jnp.zeros((5, 2))).shape
        (5, 2)
    """
    leaves, shape = jax.tree.flatten(fixed)
    arrays = [x for x in leaves if eqx.is_array(x)]
    rest = tuple(None if eqx.is_array(x) else x for x in leaves)
    return functools.partial(_compiled(f, shape, rest, donated), arrays)


# By all but the arrays, so that other weights of the same policy find the program again.
@functools.lru_cache(maxsize=32)
def _compiled(
    f: Callable[..., Any], shape: Any, rest: tuple[Any, ...], donated: tuple[int, ...]
) -> Callable[..., Any]:
    """f, with `None` in `rest` for the arrays."""

    @functools.partial(jax.jit, donate_argnums=tuple(1 + n for n in donated))
    def run(arrays: list[Any], *others: Any) -> Any:
        given = iter(arrays)
        leaves = [next(given) if x is None else x for x in rest]
        return f(*jax.tree.unflatten(shape, leaves), *others)

    return run
