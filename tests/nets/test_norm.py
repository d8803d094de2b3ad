"""Normalisations: whose statistics, by NumPy, and that queries are judged by the right ones."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.nets.network import condition
from quickstudy.nets.norm import NORMS, example_moments, make_norm, merged, running_statistics

X = np.random.default_rng(0).normal(2, 3, (4, 3, 5, 16)).astype(np.float32)
SCALE = np.linspace(0.5, 2, 16, dtype=np.float32)
SHIFT = np.linspace(-1, 1, 16, dtype=np.float32)
# The averages of the norm `running`.
MEAN, VARIANCE = SHIFT + 2, SCALE * SCALE

# The axes of x [n, h, w, c] over which statistics are taken; groups are an axis of their own.
AXES = {"layer": (1, 2, 3), "batch": (0, 1, 2), "support": (0, 1, 2), "joint": (0, 1, 2)}


def reference(name, x, given=None):
    """The textbook formula in float64."""
    x = np.asarray(x, np.float64)
    if name == "none":
        return SCALE * x + SHIFT
    if name == "running":
        return SCALE * (x - MEAN) / np.sqrt(VARIANCE + np.float64(1e-5)) + SHIFT
    if name == "group":
        grouped = x.reshape(*x.shape[:-1], 2, 8)
        moments = (f(grouped, axis=(1, 2, 4)) for f in (np.mean, np.var))
        mean, variance = (np.repeat(m, 8, axis=-1)[:, None, None] for m in moments)
    else:
        of = np.asarray(x if given is None else given, np.float64)
        mean, variance = (f(of, axis=AXES[name], keepdims=True) for f in (np.mean, np.var))
    return SCALE * (x - mean) / np.sqrt(variance + 1e-5) + SHIFT


def norm(name):
    made = make_norm(name, 16)
    averages = {"mean": MEAN, "variance": VARIANCE} if name == "running" else {}
    given = {"scale": SCALE, "shift": SHIFT, **averages}
    return dataclasses.replace(made, **jax.tree.map(jnp.asarray, given))


names = pytest.mark.parametrize("name", NORMS)


@names
def test_equals_the_textbook(name):
    np.testing.assert_allclose(norm(name)(jnp.asarray(X)), reference(name, X), rtol=1e-4, atol=1e-4)


@names
def test_after_the_support_set(name):
    """Queries by the support set's moments, for `support`; all others by their own rule."""
    support, query = X[:2], 5 + X[2:]
    found = norm(name).condition(jnp.asarray(support))(jnp.asarray(query))
    given = support if name == "support" else None
    np.testing.assert_allclose(found, reference(name, query, given), rtol=1e-4, atol=1e-4)


@names
def test_features_without_positions(name):
    """x [n, c], as after a linear layer."""
    x = X[:, 0, 0]
    assert norm(name)(jnp.asarray(x)).shape == x.shape


@pytest.mark.parametrize(
    ("channels", "size"), [(16, 8), (8, 8), (4, 4), (12, 6), (9, 3), (7, 7), (11, 1), (1, 1)]
)
def test_groups_of_at_most_eight(channels, size):
    x = jnp.asarray(np.random.default_rng(1).normal(size=(2, 3, 3, channels)), jnp.float32)
    found = make_norm("group", channels)(x).reshape(2, 9, channels // size, size)
    np.testing.assert_allclose(np.mean(found, (1, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(np.var(found, (1, 3)), 1, rtol=1e-3)


def test_one_group_on_a_single_position():
    """Four channels and no positions left: still something to normalise by."""
    x = jnp.asarray([[[[1.0, 2.0, 3.0, 4.0]]]])
    found = make_norm("group", 4)(x).ravel()
    np.testing.assert_allclose(found, (np.arange(4) - 1.5) / np.sqrt(1.25 + 1e-5), rtol=1e-5)


@names
def test_only_batch_is_transductive(name):
    assert NORMS[name].transductive == (name == "batch")


@names
def test_each_example_by_itself_unless_transductive(name):
    # A network, for `joint` alone needs the whole of it.
    seen = condition(norm(name), jnp.asarray(X[:2]))
    together, alone = seen(jnp.asarray(X))[:1], seen(jnp.asarray(X[:1]))
    apart = float(jnp.max(jnp.abs(together - alone)))
    assert apart > 0.1 if name == "batch" else apart < 1e-6


@names
def test_only_scale_and_shift_are_learned(name):
    made = make_norm(name, 16)
    leaves = {id(leaf) for leaf in jax.tree.leaves(made)}
    averages = {id(leaf) for leaf in running_statistics(made)}
    assert leaves - averages == {id(made.scale), id(made.shift)}
    assert len(averages) == (2 if name == "running" else 0)
    np.testing.assert_array_equal(made.scale, np.ones(16))
    np.testing.assert_array_equal(made.shift, np.zeros(16))


@names
def test_constant_input_has_a_finite_second_derivative(name):
    """A blank image: variance zero, where a square root would blow up."""

    def value(x):
        return jnp.sum(jnp.square(norm(name)(x)))

    blank = jnp.ones((2, 2, 2, 16))
    second = jax.jvp(jax.grad(value), (blank,), (jnp.ones_like(blank),))[1]
    assert bool(jnp.all(jnp.isfinite(second)))


def test_unknown_name():
    with pytest.raises(qs.BadInput, match=r"'bach' is unknown; choose one of layer, group"):
        make_norm("bach", 4)


def plainly_normalised(x, scale, shift):
    """By NumPy's formula, differentiated by JAX alone."""
    mean, variance = (moment(x, (0, 1, 2), keepdims=True) for moment in (jnp.mean, jnp.var))
    scale, shift = scale[None, None, None], shift[None, None, None]
    return scale * (x - mean) / jnp.sqrt(variance + 1e-5) + shift


def test_derivatives_equal_those_of_the_textbook():
    """First and second, in both modes: the moments' own rule, and the divisions by one."""
    with jax.enable_x64(True):
        x, scale, shift = (jnp.asarray(np.asarray(a, np.float64)) for a in (X, SCALE, SHIFT))

        def ours(x, scale, shift):
            return dataclasses.replace(make_norm("batch", 16), scale=scale, shift=shift)(x)

        def derivatives(f):
            def loss(*arguments):
                return jnp.sum(jnp.sin(f(*arguments)))

            gradient = jax.grad(loss, (0, 1, 2))
            twice = jax.grad(lambda *a: sum(jnp.sum(jnp.cos(g)) for g in gradient(*a)), (0, 1, 2))
            forward = jax.jvp(gradient, (x, scale, shift), (x * x, scale, shift))
            return gradient(x, scale, shift), twice(x, scale, shift), forward

        found, wanted = (jax.jit(lambda f=f: derivatives(f))() for f in (ours, plainly_normalised))
        for ours, theirs in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10 * np.abs(theirs).max())


def test_moments_of_a_batch_from_those_of_its_examples():
    mean, variance = merged(*example_moments(jnp.asarray(X)))
    np.testing.assert_allclose(mean, X.mean((0, 1, 2), keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(variance, X.var((0, 1, 2), keepdims=True), rtol=1e-5)
