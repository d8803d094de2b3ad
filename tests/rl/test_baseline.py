"""Baselines are fitted to what was paid, and only to what is real."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.environment import Picture
from quickstudy.rl.baseline import at_a_glance, features

KEY = jax.random.key(0)
BASELINES = {"linear": qs.LinearBaseline(), "network": qs.ValueNetwork()}


@pytest.fixture(scope="module")
def walk():
    """Positions, what they are worth, and which steps there are: the second half of one path is
    not."""
    o = jax.random.uniform(KEY, (8, 20, 2), minval=-1, maxval=1)
    targets = -50.0 - 10 * jnp.linalg.norm(o - 0.3, axis=-1)
    return o, targets, jnp.ones((8, 20), bool).at[0, 10:].set(False)


def unexplained(values, targets, real):
    """The share of the variance that is left."""
    return float(jnp.var((targets - values)[real]) / jnp.var(targets[real]))


def test_what_they_explain(walk):
    """The distance is no sum of o and o²: the network explains what the regression cannot."""
    left = {name: unexplained(jax.jit(b.values)(*walk), *walk[1:]) for name, b in BASELINES.items()}
    assert 0.02 < left["linear"] < 0.2
    assert left["network"] < left["linear"] / 1.5


@pytest.mark.parametrize("name", BASELINES)
def test_what_is_not_real_counts_for_nothing(name, walk):
    o, targets, real = walk
    values = jax.jit(BASELINES[name].values)
    other = values(jnp.where(real[..., None], o, 0.0), jnp.where(real, targets, 1e4), real)
    np.testing.assert_allclose(other[real], values(o, targets, real)[real], rtol=1e-4)


def test_features_of_two_steps():
    """(o, o², u, u², u³, 1) with u = t / 100; −20 is clipped to −10."""
    found = features(jnp.array([[[2.0, -20.0], [3.0, 1.0]]]))
    first, second = [2, -10, 4, 100, 0, 0, 0, 1], [3, 1, 9, 1, 1e-2, 1e-4, 1e-6, 1]
    np.testing.assert_allclose(found[0], [first, second], rtol=1e-5)


def test_linear_values_are_the_ridge_regression_s(walk):
    """w = (Xᵀ X + 10⁻⁵ n I)⁻¹ Xᵀ y over the real steps, by NumPy; n counts the others, too."""
    with jax.enable_x64(True):
        o, targets, real = (np.asarray(x, float if x.dtype != bool else bool) for x in walk)
        u = np.broadcast_to(np.arange(20)[:, None] / 100, (8, 20, 1))
        x = np.concatenate([o, o**2, u, u**2, u**3, np.ones_like(u)], -1)
        ridge = 1e-5 * real.size * np.eye(8)
        w = np.linalg.solve(x[real].T @ x[real] + ridge, x[real].T @ targets[real])
        found = jax.jit(qs.LinearBaseline().values)(*map(jnp.asarray, (o, targets, real)))
    np.testing.assert_allclose(found, x @ w, rtol=1e-8)


@pytest.mark.parametrize("seen", [10.0, 5.0, 0.0, "beyond", "both ends"])
@pytest.mark.parametrize("shape", [(20, 20, 2), (8, 40, 17), (1, 2, 3)])
def test_features_that_equal_each_other_have_a_fit(seen, shape):
    """In single precision, too, where clipped observations make columns that are the same."""
    noise = np.random.default_rng(0).normal(size=shape)
    observations = {"beyond": 1000 + noise, "both ends": 1000 * noise}.get(
        seen, np.full(shape, seen)
    )
    targets = jax.random.normal(KEY, shape[:2]) - 5
    errors = []
    for kind in (np.float32, np.float64):
        with jax.enable_x64(kind == np.float64):
            given = jnp.asarray(observations, kind), jnp.asarray(targets, kind)
            fit = qs.LinearBaseline().values(*given, jnp.ones(shape[:2], bool))
            errors.append(float(jnp.mean((fit - given[1]) ** 2)))
    assert errors[0] < 1.02 * errors[1] + 1e-4


def test_no_step():
    with pytest.raises(qs.BadInput, match="steps is 0"):
        qs.ValueNetwork(steps=0)


def test_of_pictures_the_channels_means_are_seen():
    """In their place, between what stands before and behind them."""
    seen = jax.random.uniform(KEY, (2, 3, 1 + 2 * 2 * 3 + 2))
    found = at_a_glance(seen, (Picture(1, (2, 2, 3)),))
    pixels = seen[..., 1:13].reshape(2, 3, 4, 3)
    wanted = jnp.concatenate([seen[..., :1], pixels.mean(2), seen[..., 13:]], -1)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    np.testing.assert_array_equal(at_a_glance(seen, ()), seen)


def test_a_regression_on_too_many_numbers_is_refused():
    """A solution of so many equations would take hours, and the machine's memory."""
    seen, paid = jnp.zeros((1, 3, 50, 50, 3)), jnp.zeros((1, 3))
    with pytest.raises(qs.BadInput, match=r"have 7500 numbers.*--baseline network"):
        qs.LinearBaseline().values(seen, paid, paid == 0)
