"""Methods that compile once for each shape, also where they are called outside `jit`.

JAX compiles a loop (`scan`, `fori_loop`, `lax.map`) for the function that is its body. A method
that is called outside `jit` makes that function anew, and so every call would compile again and
keep what it compiled. `compiled_once` compiles the whole method instead.
"""

import contextlib
import functools
import types
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer
from jax.extend.core import get_opaque_trace_state

_NUMPY = (np.ndarray, np.generic)

P = ParamSpec("P")
T = TypeVar("T")

PROGRAMS = 128
"""How many programs are kept, over all methods and shapes; then the oldest goes."""
MOST_OBJECTS = 20_000
"""How many objects that a result refers to are looked through for arrays that are no leaves."""

# A fresh thread is outside every transformation, even if `jit` is what imports this module.
with ThreadPoolExecutor(1) as _thread:
    _OUTSIDE = _thread.submit(get_opaque_trace_state).result()


def compiled_once(function: Callable[P, T]) -> Callable[P, T]:
    """A pure function or method, compiled when it is called outside all transformations.

    The first call of given shapes compiles it, and later calls run that program. Arrays are its
    inputs; what else its arguments hold is compiled in. Inside `jit`, `vmap`, `grad` and the like,
    and within `jax.disable_jit()`, the function runs as it is. It also does where it cannot be
    compiled: an argument is not hashable, its Python code asks for the numbers in its arguments,
    or its result holds arrays that are no leaves.

    An argument that it returns is passed on, not copied; a function that closes over arrays
    returns as a `Closure`.

    Args:
        function: pure, from pytrees to a pytree.

    Example:
        >>> import jax.numpy as jnp
        >>> traced = []
        >>> @compiled_once
        ... def total(x):
        ...     traced.append(x.shape)
        ...     return jax.lax.scan(lambda sum, x_t: (sum + x_t, None), 0.0, x)[0]
        >>> [float(total(jnp.ones(3))) for _ in range(100)][-1], traced
        (3.0, [(3,)])
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if get_opaque_trace_state() != _OUTSIDE:
            return function(*args, **kwargs)
        leaves, structure = jax.tree.flatten((args, kwargs))
        arrays = [leaf for leaf in leaves if _is_array(leaf)]
        kinds = tuple(map(_kind, leaves))
        # What goes wrong in a program goes wrong below, too, and is told there without JAX's frames
        # around it; or there it goes well, where Python code must see numbers.
        with contextlib.suppress(Exception):
            return _program(function, structure, kinds)(arrays)
        return function(*args, **kwargs)

    return call


class Closure(eqx.Module):
    """A function whose variables are leaves: what becomes of one that closes over arrays.

    Attributes:
        function: the function, emptied of them.
        variables: the contents of its cells, its defaults, and its keywords' defaults.
    """

    function: Any = eqx.field(static=True)
    variables: tuple[Any, Any, Any]

    @classmethod
    def of(cls, function: types.FunctionType) -> "Closure":
        """The same function."""
        contents = tuple(cell.cell_contents for cell in function.__closure__ or ())
        variables = (contents, function.__defaults__, function.__kwdefaults__)
        return cls(_filled(function, ((None,) * len(contents), None, None)), variables)

    @compiled_once
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        return _filled(self.function, self.variables)(*args, **kwargs)


def _filled(function: types.FunctionType, variables: tuple[Any, Any, Any]) -> types.FunctionType:
    """A function of the same code with these variables."""
    contents, defaults, keywords = variables
    cells = tuple(map(types.CellType, contents))
    new = types.FunctionType(function.__code__, function.__globals__, None, defaults, cells)
    new.__kwdefaults__ = keywords
    return new


class _HiddenArraysError(Exception):
    """A function's result holds arrays that are no leaves of it."""


# Static: for `jit` it is a part of what a program returns, and no data.
@jax.tree_util.register_static
class _Outline:
    """A result without its arrays: for each leaf the number of an array, or what else it is."""

    def __init__(self, structure: Any, leaves: list[Any]):
        self._structure, self._leaves = structure, leaves

    def filled(self, arrays: list[Any]) -> Any:
        """The result; leaves `_Place(i)` become `arrays[i]`."""
        leaves = [arrays[x] if isinstance(x, _Place) else x for x in self._leaves]
        return jax.tree.unflatten(self._structure, leaves)


class _Place(int):
    """The number of an array."""


@functools.lru_cache(PROGRAMS)
def _program(function: Callable[..., Any], structure: Any, kinds: tuple[Any, ...]) -> Any:
    """From a call's arrays to its result; the arguments were flattened to leaves of `kinds`."""
    _demand_hashable(structure)

    def run(arrays: list[Any]) -> tuple[list[Any], _Outline]:
        given = iter(arrays)
        leaves = [next(given) if kind is None else leaf for kind, leaf, *_ in kinds]
        args, kwargs = jax.tree.unflatten(structure, leaves)
        return _outlined(function(*args, **kwargs), arrays)

    run.__name__ = run.__qualname__ = getattr(function, "__qualname__", "compiled_once")
    compiled = jax.jit(run)

    def program(arrays: list[Any]) -> Any:
        computed, outline = compiled(arrays)
        return outline.filled([*arrays, *computed])

    return program


def _demand_hashable(structure: Any) -> None:
    """Raise `TypeError` for a static field that may change: JAX would compare it with itself."""
    kind, static = structure.node_data() or (None, None)
    if kind is not dict:  # whose keys are a list here
        hash(static)
    for child in structure.children():
        _demand_hashable(child)


def _outlined(result: Any, arrays: list[Any]) -> tuple[list[Any], _Outline]:
    """The arrays of a result that are not among the given ones, and the rest."""
    leaves, structure = jax.tree.flatten(_opened(result))
    places = {id(array): i for i, array in enumerate(arrays)}
    computed = []
    for i, leaf in enumerate(leaves):
        if not _is_array(leaf):
            continue
        if id(leaf) not in places:
            places[id(leaf)] = len(arrays) + len(computed)
            computed.append(leaf)
        leaves[i] = _Place(places[id(leaf)])
    if _reaches_a_tracer([structure, *leaves]):
        raise _HiddenArraysError
    return computed, _Outline(structure, leaves)


def _opened(result: Any, inside: tuple[Any, ...] = ()) -> Any:
    """The result with a `Closure` in the place of every function that closes over arrays."""

    def opened(leaf: Any) -> Any:
        if not isinstance(leaf, types.FunctionType) or not _reaches_a_tracer([leaf]):
            return leaf
        if any(leaf is outer for outer in inside):  # it calls itself
            raise _HiddenArraysError
        closure = Closure.of(leaf)
        return Closure(closure.function, _opened(closure.variables, (*inside, leaf)))

    return jax.tree.map(opened, result)


def _reaches_a_tracer(things: Iterable[Any]) -> bool:
    """Whether an array of a program that is being traced hides in them."""
    seen, left = {}, list(things)
    while left:
        thing = left.pop()
        if isinstance(thing, Tracer):
            return True
        if id(thing) not in seen:
            seen[id(thing)] = thing  # kept: another object could get its id
            left.extend(_held(thing))
        if len(seen) > MOST_OBJECTS:
            return True  # it may be: a whole program's objects are too many to look through
    return False


def _held(thing: Any) -> Iterable[Any]:
    """What an object refers to, as far as a result can hide arrays there."""
    if isinstance(thing, type | types.ModuleType | str | np.ndarray | jax.Array):
        return ()
    if isinstance(thing, jax.tree_util.PyTreeDef):
        return (*(thing.node_data() or ())[1:], *thing.children())
    if isinstance(thing, dict):
        return thing.values()
    if isinstance(thing, list | tuple | set | frozenset):
        return thing
    if isinstance(thing, types.CellType):
        return () if thing == types.CellType() else (thing.cell_contents,)
    if hasattr(type(thing), "__getattr__"):  # it may answer every name with another new object
        return _own_attributes(thing)
    names = ("__closure__", "__defaults__", "__kwdefaults__", "__self__", "__func__", "__wrapped__")
    named = (getattr(thing, name, None) for name in (*names, "func", "args", "keywords"))
    return (*named, *_own_attributes(thing))


def _own_attributes(thing: Any) -> Iterable[Any]:
    try:
        return tuple(object.__getattribute__(thing, "__dict__").values())
    except AttributeError:  # it has slots, or none
        return ()


def _kind(leaf: Any) -> tuple[Any, ...]:
    """What a program is compiled for: an array's shape and type, or what else the leaf is."""
    # The type beside the value: 1, 1.0 and True are equal, and make different programs.
    return (None, None, leaf.shape, leaf.dtype) if _is_array(leaf) else (type(leaf), leaf)


def _is_array(leaf: Any) -> bool:
    """Whether JAX can compute with it."""
    if isinstance(leaf, jax.Array):
        return True
    # Not NumPy's objects, strings and times.
    return isinstance(leaf, _NUMPY) and leaf.dtype.kind not in "OSUMm"
