"""Where rounding counts, every product asks for all bits, also of derivatives."""

import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.conjugate_gradients import conjugate_gradients
from quickstudy.learners import similarity
from quickstudy.precision import product
from quickstudy.rl.baseline import LinearBaseline
from quickstudy.rl.rollout import Rollout, earned
from references.jaxprs import equations

A = jnp.array([[2.0, 1.0], [1.0, 3.0]])
SUPPORT = qs.Examples(jnp.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]]), jnp.array([0, 1, 1]), 2)


def ridge(x):
    learner = qs.RidgeRegression(lambda own: own)
    return learner.adapt(qs.Examples(x, SUPPORT.y, 2)).head.weight.sum()


def rewards(a):
    path = Rollout(None, None, a[0], None, a[0] > 0, jnp.zeros(2, int), None, None, None)
    return earned(path, 1).returns.sum()


def baseline(a):
    return LinearBaseline().values(a[None], a[:1], a[:1] > 0).sum()


PLACES = {
    "product": lambda a: product(a, a).sum(),
    "distances": lambda a: similarity.negative_squared_distance(a, a).sum(),
    "dot products": lambda a: similarity.dot_product(a, a).sum(),
    "cosines": lambda a: similarity.cosine(a, a).sum(),
    "conjugate gradients": lambda a: conjugate_gradients(lambda v: a @ v, a[0], 3).x.sum(),
    "ridge": ridge,
    "rewards of episodes": rewards,
    "linear baseline": baseline,
}


@pytest.mark.parametrize("name", PLACES)
def test_every_product_asks_for_all_bits(name):
    x = SUPPORT.x if name == "ridge" else A
    found = [
        equation.params["precision"]
        for equation in equations(jax.make_jaxpr(jax.grad(PLACES[name]))(x))
        if equation.primitive.name == "dot_general"
    ]
    assert found
    highest = jax.lax.Precision.HIGHEST
    assert all(own in (highest, (highest, highest)) for own in found), found
