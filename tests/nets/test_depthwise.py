import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.errors import BadInput
from quickstudy.nets.depthwise import depthwise_conv2d

CASES = [
    ((1, 7, 7, 3), (3, 3), 1),
    ((2, 8, 5, 4), (3, 3), 2),
    ((2, 8, 8, 4), (5, 5), 2),
    ((1, 6, 11, 5), (5, 5), 1),
    ((1, 1, 9, 2), (3, 3), 2),
    ((3, 2, 2, 1), (5, 5), 3),
    ((1, 9, 6, 2), (2, 4), 1),
    ((1, 9, 6, 2), (2, 4), 3),
    ((1, 4, 4, 2), (1, 1), 2),
]


def xla(x, kernel, *, stride):
    return jax.lax.conv_general_dilated(
        *(x, kernel[:, :, None], (stride, stride), "SAME"),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


def drawn(shape, size):
    generator = np.random.default_rng(0)
    return generator.normal(size=shape), generator.normal(size=(*size, shape[-1]))


@pytest.mark.parametrize(("shape", "size", "stride"), CASES)
def test_it_is_xla_s_convolution_and_so_are_its_derivatives(shape, size, stride):
    with jax.enable_x64(True):
        x, kernel = map(jnp.asarray, drawn(shape, size))

        def both(convolve):
            def f(x, kernel):
                y = convolve(x, kernel, stride=stride)
                return jnp.sum(jnp.sin(y)), y

            (_, y), first = jax.value_and_grad(f, (0, 1), has_aux=True)(x, kernel)
            # A Hessian's product with (x, kernel), forward over reverse.
            second = jax.jvp(lambda *a: jax.grad(f, (0, 1), has_aux=True)(*a)[0],
                             (x, kernel), (x, kernel))[1]  # fmt: skip
            return y, first, second

        found, wanted = jax.jit(both, static_argnums=0)(depthwise_conv2d), both(xla)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_tasks_with_kernels_of_their_own():
    generator = np.random.default_rng(0)
    x, kernel = (generator.normal(size=s) for s in ((4, 2, 6, 6, 3), (4, 3, 3, 3)))
    x, kernel = jnp.float32(x), jnp.float32(kernel)
    found = jax.vmap(depthwise_conv2d)(x, kernel)
    wanted = jnp.stack([depthwise_conv2d(*pair) for pair in zip(x, kernel, strict=True)])
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


def test_other_backends_use_xla_s_own(monkeypatch):
    x, kernel = (jnp.float32(z) for z in drawn((2, 7, 6, 3), (3, 3)))
    ours = depthwise_conv2d(x, kernel, stride=2)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert "conv_general" in str(jax.make_jaxpr(depthwise_conv2d)(x, kernel))
    np.testing.assert_allclose(depthwise_conv2d(x, kernel, stride=2), ours, rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_refused():
    with pytest.raises(BadInput, match="stride=0"):
        depthwise_conv2d(jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 2)), stride=0)
    with pytest.raises(BadInput, match="2 channels and a kernel for 3"):
        depthwise_conv2d(jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 3)))
