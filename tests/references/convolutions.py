"""Convolutions of ours and of `lax` side by side, to the second derivative."""

import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.nets.conv import NHWC, conv2d


def reference(x, kernel, stride):
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=NHWC)


def ours(x, kernel, stride):
    return conv2d(x, kernel, stride=stride)


def arrays(shape, size, cout, count=2):
    rng = np.random.default_rng(0)
    make = lambda s: jnp.asarray(rng.normal(size=s))  # noqa: E731
    return [(make(shape), make((*size, shape[-1], cout))) for _ in range(count)]


def derivatives(conv, stride, point, direction):
    """Value, first and second derivatives of a scalar that is not linear in either argument."""

    def scalar(x, kernel):
        return jnp.sum(jnp.sin(conv(x, kernel, stride)))

    gradient = jax.grad(scalar, argnums=(0, 1))
    reverse = lambda *p: sum(  # noqa: E731
        jnp.vdot(g, d) for g, d in zip(gradient(*p), direction, strict=True)
    )
    return (
        conv(*point, stride),
        gradient(*point),
        jax.jvp(gradient, point, direction)[1],
        jax.grad(reverse, argnums=(0, 1))(*point),
    )


def assert_equal_derivatives(shape, size, cout, stride):
    with jax.enable_x64(True):
        point, direction = arrays(shape, size, cout)

        @jax.jit
        def both(p, d):
            return derivatives(ours, stride, p, d), derivatives(reference, stride, p, d)

        mine, theirs = both(point, direction)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), mine, theirs)
