"""Which inner steps are kept in memory for the way back, and which are recomputed."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jax.extend.core import ClosedJaxpr, Jaxpr
from jaxtyping import PyTree

from quickstudy.nets.trilinear import convolution_p

# What `benchmarks/inner_ways.py` found on two CPU devices, of Conv4 and of perceptrons. A step's
# activations are written, stacked and read again from slower memory. At 8 to 70 operations for each
# byte that a step's products put out, that takes the time of recomputing them; at 90 and 100 a
# tenth more, as it leaves the caches; at 140 (pooling, which leaves a quarter of the first layer's
# positions to the others) a fifth less.
OPERATIONS_PER_BYTE = 120
# What the products of all steps of a task put out. XLA keeps two to three times as much. Where it
# takes more than 32 MiB, the C library gives them back after every call, and the kernel clears them
# for the next: a tenth of a meta-step's time.
PRODUCT_BYTES = 12 * 2**20

Step = Callable[[Any, Any], tuple[Any, Any]]


def recomputed(step: Step, carry: PyTree, now: PyTree, count: int) -> Step:
    """`step`, to be scanned `count` times, in the way that takes less time to differentiate.

    A derivative needs what was computed within each step. It is kept where that is little beside
    the arithmetic that it spares, and little in all; elsewhere the step is recomputed on the way
    back (`jax.checkpoint`), so that memory does not grow with the activations of all steps. Both
    are the same function, differentiable in either mode and any number of times.

    A derivative of ∇L written by hand, as the gradient of a directional derivative, takes about
    the time of recomputing. It would take the forward mode away, and all but one input's slopes.

    Args:
        step: from a carry and the step's own inputs to the next carry and outputs.
        carry: an example of the first; only shapes matter.
        now: an example of the second.
        count: k.

    Example:
        >>> recomputed(max, None, None, 1) is max
        True
    """
    if count <= 1:
        # A single step's activations are needed at once on the way back.
        return step
    # Elsewhere tasks lie side by side: memory is scarcer than its traffic.
    if jax.default_backend() != "cpu":
        return jax.checkpoint(step)
    operations, put_out = products(step, carry, now)
    # A step without products says nothing of its size by them.
    little = 0 < put_out * count <= PRODUCT_BYTES
    kept = little and put_out * OPERATIONS_PER_BYTE <= operations
    return step if kept else jax.checkpoint(step)


def products(f: Callable[..., Any], *examples: Any) -> tuple[int, int]:
    """Multiplications and additions of the matrix products and convolutions of a function, and the
    bytes that they put out.

    Example:
        >>> import jax.numpy as jnp
        >>> products(lambda x: x @ x, jnp.ones((3, 3)))
        (54, 36)
    """
    return _products(eqx.filter_make_jaxpr(f)(*examples)[0].jaxpr)


def _products(jaxpr: Jaxpr) -> tuple[int, int]:
    operations = put_out = 0
    for equation in jaxpr.eqns:
        if each := _operations(equation):
            out: Any = equation.outvars[0].aval
            operations, put_out = operations + each, put_out + out.size * out.dtype.itemsize
        times = equation.params.get("length", 1)
        for part in _parts(equation.params):
            inner = _products(part)
            operations, put_out = operations + times * inner[0], put_out + times * inner[1]
    return operations, put_out


def _operations(equation: Any) -> int:
    """Multiplications and additions, if it is a product."""
    params = equation.params
    if equation.primitive is jax.lax.dot_general_p:
        summed = params["dimension_numbers"][0][0]
        length = math.prod(equation.invars[0].aval.shape[axis] for axis in summed)
        return 2 * equation.outvars[0].aval.size * length
    if equation.primitive is convolution_p:
        stride, (n, h, w, _) = params["stride"], params["image"]
        return 2 * n * -(-h // stride) * -(-w // stride) * math.prod(params["kernel"])
    return 0


def _parts(params: dict[str, Any]) -> list[Jaxpr]:
    values = jax.tree.leaves(params, is_leaf=lambda part: isinstance(part, ClosedJaxpr | Jaxpr))
    closed = [value.jaxpr if isinstance(value, ClosedJaxpr) else value for value in values]
    return [value for value in closed if isinstance(value, Jaxpr)]
