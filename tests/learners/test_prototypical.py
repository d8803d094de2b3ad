"""Prototypical networks by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs


class Doubled(eqx.Module):
    """An embedding that one can follow: g(x) = s x with s = 2."""

    s: jax.Array = eqx.field(default_factory=lambda: jnp.array(2.0))

    def __call__(self, x):
        return self.s * x


# Class 0: (0, 0); class 1: mean of (1, 0), (3, 0), (2, 3) = (2, 1); embedded (0, 0) and (4, 2).
SUPPORT = qs.Examples(
    jnp.array([[1.0, 0.0], [0.0, 0.0], [3.0, 0.0], [2.0, 3.0]]), jnp.array([1, 0, 1, 1]), 2
)
QUERY = jnp.array([[1.0, 1.0], [0.0, -1.0]])  # embedded (2, 2), (0, −2)


def test_squared_distance_by_hand():
    """Classes of unequal sizes: each prototype is the mean of its own examples."""
    outputs = qs.Prototypical(Doubled()).adapt(SUPPORT)(QUERY)
    np.testing.assert_allclose(outputs, [[-8, -4], [-4, -32]], rtol=1e-6)


def test_dot_product_by_hand():
    outputs = qs.Prototypical(Doubled(), similarity=qs.dot_product).adapt(SUPPORT)(QUERY)
    np.testing.assert_allclose(outputs, [[0, 12], [0, -4]], rtol=1e-6)


def test_meta_loss_and_gradient_by_hand():
    """With s free, distances are s² · (2, 1) and s² · (1, 8): L = ½ Σ log(1 + e^{−s² (d − d')})."""
    learner = qs.Prototypical(Doubled())
    task = qs.Task(SUPPORT, qs.Examples(QUERY, jnp.array([1, 0]), 2))
    gradient, metrics = learner.meta_gradient(task)
    margins, s = np.array([1.0, 7.0]), 2.0
    wanted = np.mean(np.log1p(np.exp(-(s**2) * margins)))
    slope = np.mean(-2 * s * margins / (1 + np.exp(s**2 * margins)))
    np.testing.assert_allclose(metrics["loss"], wanted, rtol=1e-5)
    np.testing.assert_allclose(gradient.embed.s, slope, rtol=1e-5)
    assert float(metrics["accuracy"]) == 1


def test_any_number_of_ways_and_shots():
    learner = qs.Prototypical(Doubled())
    for ways, shots in ((2, 1), (7, 3)):
        x = jnp.ones((ways * shots, 2))
        support = qs.Examples(x, jnp.arange(ways * shots) % ways, ways)
        assert learner.adapt(support)(QUERY).shape == (2, ways)


def test_a_class_without_examples_is_finite():
    support = qs.Examples(SUPPORT.x, SUPPORT.y, 3)
    assert bool(jnp.all(jnp.isfinite(qs.Prototypical(Doubled()).adapt(support)(QUERY))))


def test_regression_has_no_prototypes():
    support = qs.Examples(SUPPORT.x, jnp.ones((4, 1)))
    with pytest.raises(qs.BadInput, match="class labels"):
        qs.Prototypical(Doubled()).adapt(support)
